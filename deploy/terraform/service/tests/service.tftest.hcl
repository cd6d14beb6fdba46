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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:sa-east-1:123456789012:scalingPolicy:mocked" }
  }
}

variables {
  image   = "123456789012.dkr.ecr.sa-east-1.amazonaws.com/coco-ingest:0.1.0"
  network = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
  lake = {
    bucket_name       = "lake"
    queue_url         = "https://sqs.sa-east-1.amazonaws.com/123456789012/coco-ingest"
    dlq_url           = "https://sqs.sa-east-1.amazonaws.com/123456789012/coco-ingest-dlq"
    queue_name        = "coco-ingest"
    dlq_name          = "coco-ingest-dlq"
    policies          = { consumer = "{}", operator = "{}", producer = "{}" }
    is_encrypted      = false
    encryption_policy = null
  }
  database = {
    host             = "db.example"
    name             = "coco"
    user             = "coco"
    migration_user   = "coco_owner"
    password_secret  = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/db-AbCdEf:password::"
    migration_secret = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/owner-AbCdEf"
  }
  producer = {
    api_base_url = "https://erp.example"
    secrets      = { API_TOKEN = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/erp-AbCdEf" }
    stores       = ["99 CB CB", "São João"]
  }
}

run "containers_can_misuse_nothing" {
  assert {
    condition = alltrue([
      for task in aws_ecs_task_definition.this : alltrue([
        for container in jsondecode(task.container_definitions) :
        container.readonlyRootFilesystem && container.user == "10001:10001" &&
        container.linuxParameters.initProcessEnabled && contains(container.linuxParameters.capabilities.drop, "ALL") &&
        one(container.mountPoints).containerPath == "/tmp"
      ])
    ])
    error_message = "Read-only root, own user, init process, no capabilities, /tmp to write to."
  }

  assert {
    condition     = toset(keys(aws_ecs_task_definition.this)) == toset(["consumer", "migrate", "producer"])
    error_message = "Each program has its task."
  }
}

run "secrets_are_named_and_not_told" {
  assert {
    condition = alltrue([
      for task in aws_ecs_task_definition.this : alltrue([
        for variable in jsondecode(task.container_definitions)[0].environment : !contains(["DB_PASSWORD", "API_TOKEN"], variable.name)
      ])
    ])
    error_message = "Passwords come from the secrets."
  }

  assert {
    condition = toset(jsondecode(aws_iam_role_policy.secrets[0].policy).Statement[0].Resource) == toset([
      "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/db-AbCdEf",
      "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/owner-AbCdEf",
      "arn:aws:secretsmanager:sa-east-1:123456789012:secret:coco/erp-AbCdEf",
    ])
    error_message = "ECS may read these secrets, whole, and no others."
  }
}

run "a_stop_ends_before_ecs_kills" {
  assert {
    condition = tonumber(one([
      for variable in jsondecode(aws_ecs_task_definition.this["consumer"].container_definitions)[0].environment :
      variable.value if variable.name == "SHUTDOWN_TIMEOUT_SECONDS"
    ])) < jsondecode(aws_ecs_task_definition.this["consumer"].container_definitions)[0].stopTimeout
    error_message = "SHUTDOWN_TIMEOUT_SECONDS lies below stopTimeout."
  }
}

run "deployments_roll_back" {
  assert {
    condition = alltrue([
      for service in [aws_ecs_service.consumer, aws_ecs_service.producer[0]] :
      one(service.deployment_circuit_breaker).enable && one(service.deployment_circuit_breaker).rollback
    ])
    error_message = "The circuit breaker rolls back."
  }

  assert {
    condition     = aws_ecs_service.producer[0].deployment_minimum_healthy_percent == 0 && aws_ecs_service.producer[0].deployment_maximum_percent == 100
    error_message = "One producer at a time."
  }
}

run "migrate_is_a_command_to_paste" {
  assert {
    condition     = strcontains(output.migrate_command, "--task-definition coco-ingest-migrate") && strcontains(output.migrate_command, "\"subnets\":[\"subnet-1\",\"subnet-2\"]")
    error_message = "The whole command is in the output."
  }
}

run "scaling_counts_what_is_held" {
  assert {
    condition = toset([
      for metric in one(one(aws_appautoscaling_policy.backlog.target_tracking_scaling_policy_configuration).customized_metric_specification).metrics : metric.id
    ]) == toset(["backlog", "waiting", "held", "tasks"])
    error_message = "A task holds 200 messages: without them it would look idle."
  }

  assert {
    condition     = length(aws_appautoscaling_policy.wake) == 0
    error_message = "One task always runs, so nobody needs waking."
  }
}

run "to_nothing_and_back" {
  variables {
    consumer = { min = 0 }
    producer = null
  }

  assert {
    condition     = aws_appautoscaling_target.consumer.min_capacity == 0 && one(aws_appautoscaling_policy.wake[0].step_scaling_policy_configuration).adjustment_type == "ChangeInCapacity"
    error_message = "Waiting messages start the first task."
  }

  assert {
    condition     = length(aws_ecs_service.producer) == 0 && !contains(keys(aws_iam_role.task), "producer")
    error_message = "Without an ERP there is no producer."
  }
}

run "tokens_instead_of_passwords" {
  variables {
    producer = null
    database = {
      host           = "db.example"
      name           = "coco"
      user           = "coco"
      migration_user = "coco_owner"
      auth           = "iam"
      resource_id    = "db-ABC"
    }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.database["consumer"].policy).Statement[0].Resource == "arn:aws:rds-db:sa-east-1:123456789012:dbuser:db-ABC/coco"
    error_message = "The consumer may connect as its own user and no other."
  }

  assert {
    condition     = length(aws_iam_role_policy.secrets) == 0 && length(jsondecode(aws_ecs_task_definition.this["consumer"].container_definitions)[0].secrets) == 0
    error_message = "There is no password to read."
  }
}

run "silence_is_an_alarm" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.nothing_sent.treat_missing_data == "breaching"
    error_message = "SQS stops reporting on a queue that nobody uses."
  }
}

run "more_sessions_than_the_database_has_are_refused" {
  command = plan

  variables {
    consumer = { max = 11 }
  }

  expect_failures = [var.consumer]
}

run "a_stop_that_fargate_would_cut_is_refused" {
  command = plan

  variables {
    consumer = { stop_timeout_seconds = 121 }
  }

  expect_failures = [var.consumer]
}

run "a_stop_that_would_cut_the_last_poll_is_refused" {
  command = plan

  variables {
    consumer = { stop_timeout_seconds = 29 }
  }

  expect_failures = [var.consumer]
}

run "an_image_that_changes_under_its_tag_is_refused" {
  command = plan

  variables {
    image = "coco-ingest:latest"
  }

  expect_failures = [var.image]
}

run "no_password_and_no_token_is_refused" {
  command = plan

  variables {
    database = { host = "db.example", name = "coco", user = "coco", migration_user = "coco" }
  }

  expect_failures = [var.database]
}
