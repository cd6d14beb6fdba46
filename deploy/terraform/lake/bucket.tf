resource "aws_s3_bucket" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = var.bucket_name
  tags   = var.tags
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = var.create_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = local.has_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.has_key ? "aws:kms" : "AES256"
      kms_master_key_id = local.key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  dynamic "rule" {
    for_each = var.prefixes

    content {
      id     = "documents-${rule.key}"
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      dynamic "transition" {
        for_each = var.infrequent_access_after_days == 0 ? [] : [var.infrequent_access_after_days]

        content {
          days          = transition.value
          storage_class = "STANDARD_IA"
        }
      }

      noncurrent_version_expiration {
        noncurrent_days = var.retention_days.old_versions
      }

      abort_incomplete_multipart_upload {
        days_after_initiation = 7
      }
    }
  }

  rule {
    id     = "error-logs"
    status = "Enabled"

    # Longer than a marker: what is empty stays.
    filter {
      and {
        prefix                   = "logs/errors/"
        object_size_greater_than = 0
      }
    }

    expiration {
      days = var.retention_days.error_logs
    }

    noncurrent_version_expiration {
      noncurrent_days = var.retention_days.old_versions
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# As `producer init-lake` would make them; `consumer doctor` tries its permissions on logs/errors/.
resource "aws_s3_object" "marker" {
  for_each = toset(local.marker_keys)

  bucket  = var.create_bucket ? aws_s3_bucket.this[0].id : var.bucket_name
  key     = each.value
  content = ""

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.this]
}

# Last, so that the markers announce nothing; and after the queue's policy, since S3 asks the queue.
resource "aws_s3_bucket_notification" "this" {
  bucket = var.create_bucket ? aws_s3_bucket.this[0].id : var.bucket_name

  dynamic "queue" {
    for_each = var.prefixes

    content {
      id            = "${var.name}-${trimsuffix(queue.value, "/")}"
      queue_arn     = aws_sqs_queue.main.arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = queue.value
    }
  }

  depends_on = [aws_sqs_queue_policy.main, aws_s3_object.marker]
}
