output "dashboard" {
  description = "Opens the dashboard on http://127.0.0.1:8600 of the machine that this is typed on."
  value       = "aws ssm start-session --target ${aws_instance.amiss.id} --document-name AWS-StartPortForwardingSession --parameters portNumber=8600,localPortNumber=8600"
}
