# S3 must be let use the key: it encrypts what it sends to the queue. Without this grant nothing is
# announced, and nothing complains.
locals {
  key_policy_statement = {
    Sid       = "S3AnnouncesOnTheEncryptedQueue"
    Effect    = "Allow"
    Principal = { Service = "s3.amazonaws.com" }
    Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
    Resource  = "*"
    Condition = {
      StringEquals = { "aws:SourceAccount" = local.account }
      ArnEquals    = { "aws:SourceArn" = local.bucket_arn }
    }
  }
}

resource "aws_kms_key" "this" {
  count = local.creates_key ? 1 : 0

  description             = "${var.name}: lake and queues"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RolesOfThisAccountByTheirPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      local.key_policy_statement,
    ]
  })
}

resource "aws_kms_alias" "this" {
  count = local.creates_key ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}
