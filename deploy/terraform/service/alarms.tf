locals {
  # The names are those of the runbook, docs/operations.md.
  queue_alarms = {
    DocumentsDeadLettered = {
      queue       = var.lake.dlq_name
      metric      = "ApproximateNumberOfMessagesVisible"
      threshold   = 0
      minutes     = 1
      description = "Documents were refused: consumer dlq list says why."
    }
    LaggingBehind = {
      queue       = var.lake.queue_name
      metric      = "ApproximateAgeOfOldestMessage"
      threshold   = 60 * var.alarms.oldest_minutes
      minutes     = 5
      description = "A message has waited for more than ${var.alarms.oldest_minutes} minutes: consumer status."
    }
  }

  # `probe_failed` is logged for as long as the breaker is open, `breaker_opened` once.
  log_alarms = {
    LoadingSuspended = {
      pattern     = "{ ($.event = \"breaker_opened\" || $.event = \"probe_failed\") && $.cause = \"outage\" }"
      minutes     = 5
      description = "PostgreSQL, S3 or SQS is down or refuses us. Messages wait, nothing is lost."
    }
    FailureBurst = {
      pattern     = "{ $.event = \"breaker_opened\" && $.cause = \"failure_burst\" }"
      minutes     = 1
      description = "Most documents fail. Nothing more is dead-lettered until someone looks."
    }
    Bugs = {
      pattern     = "{ $.event = \"object_retried\" }"
      minutes     = 1
      description = "The consumer fails on a document and retries. The log has the error log's key."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/SQS"
  metric_name         = each.value.metric
  dimensions          = { QueueName = each.value.queue }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = var.tags
}

# SQS reports nothing of a queue that nobody used for six hours, so missing data is no good sign.
resource "aws_cloudwatch_metric_alarm" "nothing_sent" {
  alarm_name          = "${var.name}-NothingArrives"
  alarm_description   = "No object was announced for ${var.alarms.nothing_sent_hours} hours: the producer, the ERP, or the bucket's notification."
  namespace           = "AWS/SQS"
  metric_name         = "NumberOfMessagesSent"
  dimensions          = { QueueName = var.lake.queue_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = var.alarms.nothing_sent_hours
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = var.tags
}

resource "aws_cloudwatch_log_metric_filter" "event" {
  for_each = local.log_alarms

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this["consumer"].name
  pattern        = each.value.pattern

  metric_transformation {
    namespace     = var.name
    name          = each.key
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "event" {
  for_each = local.log_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = var.name
  metric_name         = aws_cloudwatch_log_metric_filter.event[each.key].metric_transformation[0].name
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = min(each.value.minutes, 3)
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
  tags                = var.tags
}

locals {
  widgets = {
    "Messages" = [
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.lake.queue_name, { label = "waiting" }],
      ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", var.lake.queue_name, { label = "held" }],
    ]
    "Age of the oldest message, seconds" = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.lake.queue_name, { label = "age" }]]
    "Dead letters"                       = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.lake.dlq_name, { label = "dead letters" }]]
    "Tasks"                              = [["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.name, "ServiceName", "consumer", { label = "running" }]]
    "CPU and memory, percent" = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "consumer", { label = "CPU" }],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", "consumer", { label = "memory" }],
    ]
    "What the log tells" = [for event in keys(local.log_alarms) : [var.name, event, { label = event, stat = "Sum" }]]
  }
  titles = keys(local.widgets)
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = [for index, title in local.titles : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = local.region
        view    = "timeSeries"
        stat    = "Maximum"
        period  = 60
        metrics = local.widgets[title]
      }
    }]
  })
}
