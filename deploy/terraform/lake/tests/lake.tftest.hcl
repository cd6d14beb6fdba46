mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "sa-east-1" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:sa-east-1:123456789012:coco-ingest" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:sa-east-1:123456789012:key/own" }
  }
}

variables {
  bucket_name = "lake"
}

run "the_defaults_are_those_of_the_local_hook" {
  assert {
    condition     = aws_sqs_queue.dlq.message_retention_seconds > aws_sqs_queue.main.message_retention_seconds
    error_message = "A dead letter keeps its first send time: its queue must keep it longer."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.main.redrive_policy).maxReceiveCount == 5 && aws_sqs_queue.main.visibility_timeout_seconds == 60
    error_message = "Redrive and visibility timeout as localstack-init has them."
  }

  assert {
    condition     = aws_s3_bucket_notification.this.queue[0].filter_prefix == "raw/" && one(aws_s3_bucket_notification.this.queue[0].events) == "s3:ObjectCreated:*"
    error_message = "Every way of creating an object under raw/ is announced."
  }

  assert {
    condition     = contains(keys(aws_s3_object.marker), "logs/errors/")
    error_message = "consumer doctor tries its permissions on the marker logs/errors/."
  }

  assert {
    condition     = aws_sqs_queue.main.sqs_managed_sse_enabled && length(aws_kms_key.this) == 0 && output.encryption_policy == null
    error_message = "Without a key of ours, AWS's own encrypt, and no role needs a grant."
  }

  assert {
    condition     = jsondecode(output.policies.producer).Statement[2].Resource == aws_sqs_queue.main.arn
    error_message = "The policies are filled in with the ARNs of this lake."
  }

  assert {
    condition     = output.glue_policy == null
    error_message = "Nobody is granted Glue who does not use it."
  }
}

run "glue_is_granted_for_its_database_alone" {
  variables {
    glue_database = "coco"
  }

  assert {
    condition     = contains(jsondecode(output.glue_policy).Statement[0].Resource, "arn:aws:glue:sa-east-1:123456789012:table/coco/*")
    error_message = "The tables of that database, in the region and account of the lake."
  }
}

run "a_key_of_our_own_lets_s3_announce" {
  variables {
    encryption = "own"
  }

  assert {
    condition = anytrue([
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement :
      try(statement.Principal.Service, "") == "s3.amazonaws.com" && contains(flatten([statement.Action]), "kms:GenerateDataKey")
    ])
    error_message = "Without the grant S3 announces nothing on an encrypted queue, and nothing complains."
  }

  assert {
    condition     = aws_sqs_queue.main.kms_master_key_id == aws_kms_key.this[0].arn
    error_message = "The queue is encrypted by the key."
  }

  assert {
    condition     = jsondecode(output.encryption_policy).Statement[0].Resource == aws_kms_key.this[0].arn && output.is_encrypted
    error_message = "Roles are granted this key and no other."
  }
}

run "a_lake_of_another_layout_is_announced_and_read" {
  variables {
    prefixes      = ["raw/", "dados/"]
    create_bucket = false
  }

  assert {
    condition     = length(aws_s3_bucket.this) == 0 && length(aws_s3_bucket_notification.this.queue) == 2
    error_message = "The bucket stays as it is, and both folders are announced."
  }

  assert {
    condition     = contains(jsondecode(output.policies.consumer).Statement[0].Resource, "arn:aws:s3:::lake/dados/*")
    error_message = "The consumer may read what is announced."
  }
}

run "prefixes_that_overlap_are_refused" {
  command = plan

  variables {
    prefixes = ["raw/", "raw/erp/"]
  }

  expect_failures = [var.prefixes]
}

run "messages_that_outlive_dead_letters_are_refused" {
  command = plan

  variables {
    retention_days = { messages = 14 }
  }

  expect_failures = [var.retention_days]
}

run "a_short_lease_is_refused" {
  command = plan

  variables {
    visibility_timeout_seconds = 20
  }

  expect_failures = [var.visibility_timeout_seconds]
}
