variable "name" {
  description = "What the machine and all that belongs to it is called."
  type        = string
  default     = "amiss"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,20}$", var.name))
    error_message = "A name has 1 to 21 small letters, digits and dashes, and begins with a letter."
  }
}

variable "package" {
  description = "What pip installs: the address of a wheel or of a git repository of Amiss."
  type        = string

  validation {
    condition     = can(regex("^[^[:space:]']+$", var.package))
    error_message = "Write one address, such as https://files.example.org/amiss-0.1.0-py3-none-any.whl."
  }
}

variable "config" {
  description = "The text of amiss.yaml; by default that of blueprints/this-host.yaml: the machine itself is watched."
  type        = string
  default     = null
}

variable "disk_gb" {
  description = "Size of the disk that holds the data folder, in GB."
  type        = number
  default     = 10

  validation {
    condition     = var.disk_gb >= 5
    error_message = "The data folder needs 5 GB at least."
  }
}

variable "project" {
  description = "The project that the machine belongs to."
  type        = string
}

variable "zone" {
  description = "Where the machine stands, such as europe-west3-a."
  type        = string
}

variable "subnetwork" {
  description = "The subnetwork that the machine is in. It must reach the internet (Cloud NAT), or pip installs nothing."
  type        = string
}

variable "machine_type" {
  description = "Two cores and 4 GB are enough for some thousand series."
  type        = string
  default     = "e2-medium"
}
