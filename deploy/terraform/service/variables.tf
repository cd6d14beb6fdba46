variable "name" {
  description = "What cluster, roles, logs and alarms are called."
  type        = string
  default     = "coco-ingest"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "name: 3 to 31 characters of a-z, 0-9 and -, the first a letter."
  }
}

variable "image" {
  description = "Image of the programs, with a tag or digest of its own for each release."
  type        = string

  validation {
    condition     = !endswith(var.image, ":latest") && can(regex("[:@][^/]+$", var.image))
    error_message = "image: with a tag other than latest, or a digest; else a rollback would start the same image again."
  }
}

variable "cpu_architecture" {
  description = "X86_64 or ARM64, as the image is built."
  type        = string
  default     = "X86_64"
}

variable "lake" {
  description = "The outputs of the module lake, as they are."
  type = object({
    bucket_name       = string
    queue_url         = string
    dlq_url           = string
    queue_name        = string
    dlq_name          = string
    policies          = map(string)
    is_encrypted      = bool
    encryption_policy = string
  })
}

variable "network" {
  description = "Where tasks run: the VPC, and subnets from which AWS, the ERP and the database can be reached."
  type = object({
    vpc_id           = string
    subnet_ids       = list(string)
    assign_public_ip = optional(bool, false)
  })
}

# A map, because its keys must be known when planning; the ids need not be.
variable "database_security_groups" {
  description = "Security groups of the database, by any name; the tasks are let in."
  type        = map(string)
  default     = {}
}

variable "database" {
  description = "PostgreSQL. With `auth` password, the secrets hold the passwords; with iam, `resource_id` is the instance's (db-…) or cluster's (cluster-…), and the users have the role rds_iam. `ca_file` is the path of the CA bundle in the image. `max_connections` is the server's."
  type = object({
    host                 = string
    port                 = optional(number, 5432)
    name                 = string
    user                 = string
    migration_user       = string
    auth                 = optional(string, "password")
    password_secret      = optional(string)
    migration_secret     = optional(string)
    resource_id          = optional(string)
    sslmode              = optional(string, "verify-full")
    ca_file              = optional(string, "/etc/ssl/rds.pem")
    max_connections      = optional(number, 100)
    secrets_kms_key_arns = optional(list(string), [])
  })

  validation {
    condition     = contains(["password", "iam"], var.database.auth)
    error_message = "database.auth: password or iam."
  }

  validation {
    condition     = var.database.auth != "password" || (var.database.password_secret != null && var.database.migration_secret != null)
    error_message = "database.password_secret and database.migration_secret: ARNs of the secrets; or database.auth = \"iam\"."
  }

  validation {
    condition     = var.database.auth != "iam" || (var.database.resource_id != null && contains(["verify-ca", "verify-full"], var.database.sslmode))
    error_message = "database.auth = \"iam\" needs database.resource_id, and a database.sslmode of verify-full, since a token must not be seen."
  }
}

variable "consumer" {
  description = "The consumer's tasks. `backlog_per_task` is how many messages, waiting or held, each task shall have; `min` 0 stops the last one while the queue is empty. `environment` holds further settings."
  type = object({
    cpu                  = optional(number, 1024)
    memory_mib           = optional(number, 2048)
    ephemeral_gib        = optional(number, 21)
    min                  = optional(number, 1)
    max                  = optional(number, 4)
    backlog_per_task     = optional(number, 500)
    scale_in_minutes     = optional(number, 10)
    loader_connections   = optional(number, 3)
    stop_timeout_seconds = optional(number, 60)
    environment          = optional(map(string), {})
  })
  default = {}

  validation {
    condition     = var.consumer.stop_timeout_seconds >= 30 && var.consumer.stop_timeout_seconds <= 120
    error_message = "consumer.stop_timeout_seconds: 30 to 120; less would cut the last long poll, more Fargate does not give."
  }

  validation {
    condition     = var.consumer.min >= 0 && var.consumer.min <= var.consumer.max && var.consumer.max >= 1
    error_message = "consumer.min: from 0 to consumer.max, and that at least 1."
  }

  # A deployment starts new tasks before it stops the old ones.
  validation {
    condition     = 2 * var.consumer.max * (var.consumer.loader_connections + 1) <= 0.8 * var.database.max_connections
    error_message = "A deployment doubles the tasks: 2 * consumer.max * (consumer.loader_connections + 1) sessions must fit into 80 % of database.max_connections."
  }

  validation {
    condition     = var.consumer.ephemeral_gib >= 21 && var.consumer.ephemeral_gib <= 200
    error_message = "consumer.ephemeral_gib: 21 to 200, as Fargate allows."
  }
}

variable "producer" {
  description = "The producer's daemon; null: none. `secrets` are ARNs by the setting that they hold: API_TOKEN, API_KEY."
  type = object({
    api_base_url  = string
    secrets       = optional(map(string), {})
    stores        = list(string)
    every         = optional(string, "15m")
    lookback_days = optional(number, 14)
    cpu           = optional(number, 256)
    memory_mib    = optional(number, 1024)
    environment   = optional(map(string), {})
  })
  default = null

  validation {
    condition     = var.producer == null ? true : length(var.producer.stores) > 0
    error_message = "producer.stores: at least one store."
  }
}

variable "alarms" {
  description = "What alarms tell (`topic_arns`), after how many hours without a new object (`nothing_sent_hours`), and how long messages may wait."
  type = object({
    topic_arns         = optional(list(string), [])
    nothing_sent_hours = optional(number, 6)
    oldest_minutes     = optional(number, 15)
  })
  default = {}

  # CloudWatch looks back a day at most.
  validation {
    condition     = var.alarms.nothing_sent_hours >= 1 && var.alarms.nothing_sent_hours <= 24
    error_message = "alarms.nothing_sent_hours: 1 to 24."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the logs."
  type        = number
  default     = 90
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
