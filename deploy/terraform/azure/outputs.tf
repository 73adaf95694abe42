output "dashboard" {
  description = "Opens the dashboard on http://127.0.0.1:8600 of the machine that this is typed on."
  value       = "ssh -N -L 8600:127.0.0.1:8600 operator@${azurerm_network_interface.amiss.private_ip_address}"
}
