resource "aws_ecs_service" "consumer" {
  name                               = "consumer"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this["consumer"].arn
  launch_type                        = "FARGATE"
  desired_count                      = max(1, var.consumer.min)
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = var.network.assign_public_ip
  }

  # Scaling decides how many.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy.encryption, aws_iam_role_policy.secrets]
}

# One at a time: the old one ends before the new one begins. Two would do no harm, as their leases
# share the stores out, but would ask the ERP for nothing more.
resource "aws_ecs_service" "producer" {
  count = local.has_producer ? 1 : 0

  name                               = "producer"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this["producer"].arn
  launch_type                        = "FARGATE"
  desired_count                      = 1
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  propagate_tags                     = "SERVICE"
  tags                               = var.tags

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = var.network.assign_public_ip
  }

  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy.encryption, aws_iam_role_policy.secrets]
}

resource "aws_security_group" "tasks" {
  name        = "${var.name}-tasks"
  description = "Tasks of ${var.name}: nothing comes in"
  vpc_id      = var.network.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.tasks.id
  description       = "AWS and the ERP"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "database" {
  for_each = var.database_security_groups

  security_group_id            = aws_security_group.tasks.id
  description                  = "The database ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = var.database.port
  to_port                      = var.database.port
  referenced_security_group_id = each.value
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each = var.database_security_groups

  security_group_id            = each.value
  description                  = "Tasks of ${var.name}"
  ip_protocol                  = "tcp"
  from_port                    = var.database.port
  to_port                      = var.database.port
  referenced_security_group_id = aws_security_group.tasks.id
}
