locals {
  # What every container has in common: nothing it could misuse. `user` is the image's own.
  hardened = {
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    linuxParameters = {
      initProcessEnabled = true
      capabilities       = { add = [], drop = ["ALL"] }
    }
  }

  # Liveness only: what waits for a database is well, and must not be killed for it.
  health_check = {
    command     = ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:${local.http_port}/healthz', timeout=4)"]
    interval    = 30
    timeout     = 5
    retries     = 3
    startPeriod = 60
  }

  listening = {
    healthCheck  = local.health_check
    portMappings = [{ containerPort = local.http_port, hostPort = local.http_port, protocol = "tcp" }]
  }

  containers = merge({
    consumer = merge(local.hardened, local.listening, {
      name        = "consumer"
      command     = ["consumer", "run"]
      stopTimeout = var.consumer.stop_timeout_seconds
      environment = local.consumer_environment
    })
    migrate = merge(local.hardened, {
      name        = "migrate"
      command     = ["consumer", "migrate"]
      environment = local.migrate_environment
    })
    }, local.has_producer ? {
    producer = merge(local.hardened, local.listening, {
      name        = "producer"
      command     = ["producer", "run", "--every", var.producer.every, "--lookback", tostring(var.producer.lookback_days)]
      stopTimeout = 30
      environment = local.producer_environment
    })
  } : {})

  sizes = merge({
    consumer = { cpu = var.consumer.cpu, memory_mib = var.consumer.memory_mib, ephemeral_gib = var.consumer.ephemeral_gib }
    migrate  = { cpu = 256, memory_mib = 512, ephemeral_gib = 21 }
    }, local.has_producer ? {
    producer = { cpu = var.producer.cpu, memory_mib = var.producer.memory_mib, ephemeral_gib = 21 }
  } : {})
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.containers

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.sizes[each.key].cpu
  memory                   = local.sizes[each.key].memory_mib
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  ephemeral_storage {
    size_in_gib = local.sizes[each.key].ephemeral_gib
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([merge(each.value, {
    environment = [for name, value in each.value.environment : { name = name, value = value }]
    secrets     = [for name, arn in local.secrets[each.key] : { name = name, valueFrom = arn }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this[each.key].name
        awslogs-region        = local.region
        awslogs-stream-prefix = each.key
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  })])
}
