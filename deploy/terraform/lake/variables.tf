variable "name" {
  description = "What queues, key and notification are called."
  type        = string
  default     = "coco-ingest"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "name: 3 to 31 characters of a-z, 0-9 and -, the first a letter."
  }
}

variable "bucket_name" {
  description = "Bucket of the data lake."
  type        = string
}

variable "create_bucket" {
  description = "Whether to create the bucket; false: it is there, and only its notification is set, in the place of all others it has."
  type        = bool
  default     = true
}

variable "prefixes" {
  description = "Where documents lie, as KEY_TEMPLATES says: what begins so is announced and may be read."
  type        = list(string)
  default     = ["raw/"]

  validation {
    condition = length(var.prefixes) > 0 && alltrue([
      for pair in setproduct(var.prefixes, var.prefixes) : pair[0] == pair[1] || !startswith(pair[0], pair[1])
    ])
    error_message = "prefixes: at least one, and none may begin with another: S3 takes no notifications that overlap."
  }
}

variable "encryption" {
  description = "Whose key encrypts bucket and queues: `aws` (no cost), `own` (a key is created), or the ARN of a key, whose policy must let S3 use it (output key_policy_statement)."
  type        = string
  default     = "aws"

  validation {
    condition     = contains(["aws", "own"], var.encryption) || can(regex("^arn:[a-z-]+:kms:", var.encryption))
    error_message = "encryption: aws, own, or the ARN of a KMS key."
  }
}

variable "visibility_timeout_seconds" {
  description = "Visibility timeout of both queues; leases are extended at half of it."
  type        = number
  default     = 60

  validation {
    condition     = var.visibility_timeout_seconds >= 30 && var.visibility_timeout_seconds <= 3600
    error_message = "visibility_timeout_seconds: 30 to 3600; less would end leases during a batch, more would hide what a killed consumer held."
  }
}

variable "max_receive_count" {
  description = "Receives after which SQS moves a message to the dead-letter queue."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 3
    error_message = "max_receive_count: 3 or more; less would dead-letter good messages during deployments."
  }
}

variable "retention_days" {
  description = "How long what is written and overwritten stays: messages of the queue, error logs, old versions of documents. Dead letters stay for 14 days, the most that SQS allows."
  type = object({
    messages     = optional(number, 4)
    error_logs   = optional(number, 180)
    old_versions = optional(number, 90)
  })
  default = {}

  validation {
    condition     = var.retention_days.messages >= 1 && var.retention_days.messages <= 13
    error_message = "retention_days.messages: 1 to 13; a dead letter keeps its first send time, so it must stay longer than a message."
  }
}

variable "infrequent_access_after_days" {
  description = "Days after which documents move to S3 Standard-IA; 0: never."
  type        = number
  default     = 90

  validation {
    condition     = var.infrequent_access_after_days == 0 || var.infrequent_access_after_days >= 30
    error_message = "infrequent_access_after_days: 0, or 30 and more, as S3 demands."
  }
}

variable "glue_database" {
  description = "Database of the Glue Data Catalog in which lakehouse keeps its tables (LAKEHOUSE_NAMESPACE); null: it does not use Glue."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
