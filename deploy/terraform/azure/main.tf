# One machine of Debian 12 that runs Amiss. It has no address outside: it is entered, and its
# dashboard seen, from inside the network or through Azure Bastion (see the outputs).

terraform {
  required_version = ">= 1.5"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

data "azurerm_resource_group" "chosen" {
  name = var.resource_group
}

resource "azurerm_network_interface" "amiss" {
  name                = var.name
  location            = data.azurerm_resource_group.chosen.location
  resource_group_name = var.resource_group

  ip_configuration {
    name                          = "inside"
    subnet_id                     = var.subnet_id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_network_security_group" "amiss" {
  name                = var.name
  location            = data.azurerm_resource_group.chosen.location
  resource_group_name = var.resource_group

  security_rule {
    name                       = "enter"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefix      = "VirtualNetwork"
    destination_port_range     = "22"
    destination_address_prefix = "*"
  }

  security_rule {
    name                       = "nothing-else"
    priority                   = 200
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_port_range     = "*"
    destination_address_prefix = "*"
  }
}

resource "azurerm_network_interface_security_group_association" "amiss" {
  network_interface_id      = azurerm_network_interface.amiss.id
  network_security_group_id = azurerm_network_security_group.amiss.id
}

resource "azurerm_linux_virtual_machine" "amiss" {
  name                  = var.name
  location              = data.azurerm_resource_group.chosen.location
  resource_group_name   = var.resource_group
  size                  = var.size
  admin_username        = "operator"
  network_interface_ids = [azurerm_network_interface.amiss.id]

  admin_ssh_key {
    username   = "operator"
    public_key = var.ssh_public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = "Debian"
    offer     = "debian-12"
    sku       = "12-gen2"
    version   = "latest"
  }

  custom_data = base64encode(templatefile("${path.module}/../setup.sh.tftpl", {
    config  = coalesce(var.config, file("${path.module}/../../../blueprints/this-host.yaml"))
    disk    = "/dev/disk/azure/scsi1/lun0"
    package = var.package
    service = file("${path.module}/../../systemd/amiss.service")
    extra   = ""
  }))
}

resource "azurerm_managed_disk" "data" {
  name                 = "${var.name}-data"
  location             = data.azurerm_resource_group.chosen.location
  resource_group_name  = var.resource_group
  storage_account_type = "StandardSSD_LRS"
  create_option        = "Empty"
  disk_size_gb         = var.disk_gb
}

resource "azurerm_virtual_machine_data_disk_attachment" "data" {
  managed_disk_id    = azurerm_managed_disk.data.id
  virtual_machine_id = azurerm_linux_virtual_machine.amiss.id
  lun                = 0
  caching            = "ReadWrite"
}
