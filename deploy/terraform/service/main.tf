data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account       = data.aws_caller_identity.this.account_id
  partition     = data.aws_partition.this.partition
  region        = data.aws_region.this.name
  policy_folder = "${path.module}/../../policies"
  has_producer  = var.producer != null
  http_port     = 8080

  # Stop when ECS says so, five seconds before it kills.
  consumer_environment = merge(local.lake_environment, local.database_environment, {
    DB_USER                  = var.database.user
    HTTP_HOST                = "0.0.0.0"
    HTTP_PORT                = tostring(local.http_port)
    LOADER_CONNECTIONS       = tostring(var.consumer.loader_connections)
    SHUTDOWN_TIMEOUT_SECONDS = tostring(var.consumer.stop_timeout_seconds - 5)
  }, var.consumer.environment)

  lake_environment = {
    AWS_REGION  = local.region
    BUCKET_NAME = var.lake.bucket_name
    QUEUE_URL   = var.lake.queue_url
    DLQ_URL     = var.lake.dlq_url
    LOG_FORMAT  = "json"
  }

  database_environment = merge({
    DB_HOST    = var.database.host
    DB_PORT    = tostring(var.database.port)
    DB_NAME    = var.database.name
    DB_AUTH    = var.database.auth
    DB_SSLMODE = var.database.sslmode
    }, startswith(var.database.sslmode, "verify-") ? {
    DB_SSLROOTCERT = var.database.ca_file
  } : {})

  migrate_environment = merge(local.database_environment, {
    AWS_REGION = local.region
    DB_USER    = var.database.migration_user
    LOG_FORMAT = "json"
  })

  producer_environment = local.has_producer ? merge({
    AWS_REGION   = local.region
    BUCKET_NAME  = var.lake.bucket_name
    QUEUE_URL    = var.lake.queue_url
    API_BASE_URL = var.producer.api_base_url
    STORES       = jsonencode(var.producer.stores)
    HTTP_HOST    = "0.0.0.0"
    HTTP_PORT    = tostring(local.http_port)
    LOG_FORMAT   = "json"
  }, var.producer.environment) : {}

  uses_passwords = var.database.auth == "password"
  secrets = {
    consumer = local.uses_passwords ? { DB_PASSWORD = var.database.password_secret } : {}
    migrate  = local.uses_passwords ? { DB_PASSWORD = var.database.migration_secret } : {}
    producer = local.has_producer ? var.producer.secrets : {}
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  # Scaling reads RunningTaskCount.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(concat(["consumer", "migrate"], local.has_producer ? ["producer"] : []))

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  tags              = var.tags
}
