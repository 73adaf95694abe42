output "dashboard" {
  description = "Opens the dashboard on http://127.0.0.1:8600 of the machine that this is typed on."
  value       = "gcloud compute ssh ${var.name} --project ${var.project} --zone ${var.zone} --tunnel-through-iap -- -N -L 8600:127.0.0.1:8600"
}
