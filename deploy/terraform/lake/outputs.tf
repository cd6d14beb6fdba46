output "bucket_name" {
  description = "BUCKET_NAME of the programs."
  value       = var.bucket_name
}

output "queue_url" {
  description = "QUEUE_URL of the programs."
  value       = aws_sqs_queue.main.url
}

output "dlq_url" {
  description = "DLQ_URL of the programs."
  value       = aws_sqs_queue.dlq.url
}

output "queue_name" {
  description = "Name of the queue, for alarms and scaling."
  value       = aws_sqs_queue.main.name
}

output "dlq_name" {
  description = "Name of the dead-letter queue, for alarms."
  value       = aws_sqs_queue.dlq.name
}

output "key_arn" {
  description = "Key of bucket and queues; null if AWS's own encrypt them."
  value       = local.key_arn
}

output "key_policy_statement" {
  description = "What the policy of a key of your own must hold, so that S3 may announce on the queue."
  value       = local.key_policy_statement
}

output "policies" {
  description = "IAM policies by role: console, consumer, lakehouse, operator, producer, and lake for `producer init-lake`."
  value = {
    for role in ["console", "consumer", "lake", "lakehouse", "operator", "producer"] :
    role => templatefile("${local.policy_folder}/${role}.json.tftpl", local.policy_values)
  }
}

output "glue_policy" {
  description = "What lakehouse needs besides, with LAKEHOUSE_CATALOG=glue; null without glue_database."
  value = var.glue_database == null ? null : templatefile("${local.policy_folder}/glue.json.tftpl", {
    glue_arn      = "arn:${local.partition}:glue:${data.aws_region.this.name}:${local.account}"
    glue_database = var.glue_database
  })
}

output "encryption_policy" {
  description = "What each role needs besides, to use the key; null without one."
  value       = local.has_key ? templatefile("${local.policy_folder}/encryption.json.tftpl", { key_arn = local.key_arn }) : null
}

output "is_encrypted" {
  description = "Whether a key of yours encrypts bucket and queues."
  value       = local.has_key
}
