locals {
  run_task_network = jsonencode({
    awsvpcConfiguration = {
      subnets        = var.network.subnet_ids
      securityGroups = [aws_security_group.tasks.id]
      assignPublicIp = var.network.assign_public_ip ? "ENABLED" : "DISABLED"
    }
  })
}

output "migrate_command" {
  description = "Makes or upgrades the tables, as a task of its own; before each deployment."
  value       = "aws ecs run-task --region ${local.region} --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE --task-definition ${aws_ecs_task_definition.this["migrate"].family} --network-configuration '${local.run_task_network}'"
}

output "cluster" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.tasks.id
}

output "consumer_environment" {
  description = "The consumer's settings, without secrets; with the operator's credentials, `consumer doctor` and the like run by them too."
  value       = local.consumer_environment
}

output "role_arns" {
  description = "Roles of the tasks, by program."
  value       = { for role, found in aws_iam_role.task : role => found.arn }
}
