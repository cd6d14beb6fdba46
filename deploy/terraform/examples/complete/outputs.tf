output "migrate_command" {
  description = "To be run before the first start and before each deployment."
  value       = module.service.migrate_command
}

output "consumer_environment" {
  description = "Settings for `consumer doctor` and the like."
  value       = module.service.consumer_environment
}

output "database_secret_arn" {
  description = "Secret of the database's administrator."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "alarms_topic_arn" {
  description = "Subscribe whoever shall be told."
  value       = aws_sns_topic.alarms.arn
}
