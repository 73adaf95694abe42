# One machine of Debian 12 that runs Amiss. It has no address outside: it is entered, and its
# dashboard seen, through the identity-aware proxy (see the outputs).

terraform {
  required_version = ">= 1.5"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project = var.project
  zone    = var.zone
}

data "google_compute_subnetwork" "chosen" {
  self_link = var.subnetwork
}

resource "google_service_account" "amiss" {
  account_id   = "${var.name}-machine"
  display_name = "Amiss: may do nothing"
}

resource "google_compute_firewall" "proxy" {
  name          = "${var.name}-iap"
  network       = data.google_compute_subnetwork.chosen.network
  source_ranges = ["35.235.240.0/20"] # the identity-aware proxy
  target_tags   = [var.name]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

resource "google_compute_disk" "data" {
  name = "${var.name}-data"
  type = "pd-balanced"
  size = var.disk_gb
}

resource "google_compute_instance" "amiss" {
  name         = var.name
  machine_type = var.machine_type
  tags         = [var.name]

  boot_disk {
    initialize_params {
      image = "debian-cloud/debian-12"
    }
  }

  attached_disk {
    source      = google_compute_disk.data.id
    device_name = "amiss"
  }

  network_interface {
    subnetwork = var.subnetwork
  }

  service_account {
    email  = google_service_account.amiss.email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot = true
  }

  metadata = {
    enable-oslogin         = "TRUE"
    block-project-ssh-keys = "TRUE"
  }

  metadata_startup_script = templatefile("${path.module}/../setup.sh.tftpl", {
    config  = coalesce(var.config, file("${path.module}/../../../blueprints/this-host.yaml"))
    disk    = "/dev/disk/by-id/google-amiss"
    extra   = ""
    package = var.package
    service = file("${path.module}/../../systemd/amiss.service")
  })

  lifecycle {
    ignore_changes = [boot_disk[0].initialize_params[0].image]
  }
}
