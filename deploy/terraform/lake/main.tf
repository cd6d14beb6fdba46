data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account       = data.aws_caller_identity.this.account_id
  partition     = data.aws_partition.this.partition
  bucket_arn    = "arn:${local.partition}:s3:::${var.bucket_name}"
  creates_key   = var.encryption == "own"
  has_key       = var.encryption != "aws"
  key_arn       = local.creates_key ? aws_kms_key.this[0].arn : local.has_key ? var.encryption : null
  day_seconds   = 24 * 60 * 60
  dlq_days      = 14
  marker_keys   = ["raw/", "raw/erp/", "raw/api_responses/", "processed/", "logs/", "logs/errors/"]
  documents     = jsonencode([for prefix in var.prefixes : "${local.bucket_arn}/${prefix}*"])
  policy_folder = "${path.module}/../../policies"

  policy_values = {
    bucket_arn = local.bucket_arn
    queue_arn  = aws_sqs_queue.main.arn
    dlq_arn    = aws_sqs_queue.dlq.arn
    documents  = local.documents
  }
}
