resource "aws_appautoscaling_target" "consumer" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.consumer.name}"
  min_capacity       = var.consumer.min
  max_capacity       = var.consumer.max
  tags               = var.tags
}

locals {
  # A task holds up to MAX_IN_FLIGHT_MESSAGES messages. What is visible alone would be 0 while all
  # tasks have work for minutes, and they would be stopped.
  backlog_metrics = {
    waiting = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = var.lake.queue_name } }
    held    = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesNotVisible", dimensions = { QueueName = var.lake.queue_name } }
    tasks = {
      namespace  = "ECS/ContainerInsights"
      name       = "RunningTaskCount"
      dimensions = { ClusterName = aws_ecs_cluster.this.name, ServiceName = aws_ecs_service.consumer.name }
    }
  }
  # tests/support/scaling.py simulates it.
  backlog_expression = "(FILL(waiting, 0) + FILL(held, 0)) / IF(FILL(tasks, 0) > 1, FILL(tasks, 0), 1)"
}

resource "aws_appautoscaling_policy" "backlog" {
  name               = "${var.name}-backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.consumer.service_namespace
  scalable_dimension = aws_appautoscaling_target.consumer.scalable_dimension
  resource_id        = aws_appautoscaling_target.consumer.resource_id

  target_tracking_scaling_policy_configuration {
    target_value      = var.consumer.backlog_per_task
    scale_in_cooldown = 60 * var.consumer.scale_in_minutes
    # As long as it takes until new tasks run and CloudWatch counts them. With less, the same
    # backlog starts tasks twice, and they are stopped again: tests/unit/deploy/test_scaling.py.
    scale_out_cooldown = 180

    customized_metric_specification {
      metrics {
        id          = "backlog"
        label       = "messages for each task"
        expression  = local.backlog_expression
        return_data = true
      }

      dynamic "metrics" {
        for_each = local.backlog_metrics

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = metrics.value.namespace
              metric_name = metrics.value.name

              dynamic "dimensions" {
                for_each = metrics.value.dimensions

                content {
                  name  = dimensions.key
                  value = dimensions.value
                }
              }
            }
          }
        }
      }
    }
  }
}

# From nothing to one task as soon as one message waits: target tracking would let fewer than
# backlog_per_task wait for ever.
resource "aws_appautoscaling_policy" "wake" {
  count = var.consumer.min == 0 ? 1 : 0

  name               = "${var.name}-wake"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.consumer.service_namespace
  scalable_dimension = aws_appautoscaling_target.consumer.scalable_dimension
  resource_id        = aws_appautoscaling_target.consumer.resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 60
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

# Only while no task runs: one that works needs no waking, and scaling in must not be undone.
resource "aws_cloudwatch_metric_alarm" "wake" {
  count = var.consumer.min == 0 ? 1 : 0

  alarm_name          = "${var.name}-wake"
  alarm_description   = "Messages wait and no task runs: one is started. Nobody needs to be told."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.wake[0].arn]
  tags                = var.tags

  metric_query {
    id          = "unattended"
    label       = "messages that no task attends to"
    expression  = "IF(FILL(tasks, 0) < 1, FILL(waiting, 0), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { for id, metric in local.backlog_metrics : id => metric if id != "held" }

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}
