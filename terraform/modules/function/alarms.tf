# What tells of trouble with this function. Silence is no trouble: a function that nobody calls has no data.

locals {
  cold_starts_metric = "ColdStarts-${var.name}"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "An invocation ended in an unhandled error or a timeout."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = var.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  alarm_name          = "${var.name}-throttles"
  alarm_description   = "Calls were refused because every reserved environment was busy."
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = var.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "duration" {
  alarm_name          = "${var.name}-duration-p95"
  alarm_description   = "The 95th percentile of duration, in ms, stayed above its threshold for a quarter of an hour."
  namespace           = "AWS/Lambda"
  metric_name         = "Duration"
  dimensions          = { FunctionName = var.name }
  extended_statistic  = "p95"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_thresholds.duration_p95_ms
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}

# Lambda has no metric of cold starts; its REPORT line names an Init Duration for each.
resource "aws_cloudwatch_log_metric_filter" "cold_starts" {
  name           = "${var.name}-cold-starts"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "\"REPORT RequestId\" \"Init Duration\""

  metric_transformation {
    namespace = var.metric_namespace
    name      = local.cold_starts_metric
    value     = "1"
    unit      = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "cold_starts" {
  alarm_name          = "${var.name}-cold-start-rate"
  alarm_description   = "Cold starts, in percent of invocations, stayed above their threshold for half an hour."
  evaluation_periods  = 6
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarm_thresholds.cold_start_percent
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  metric_query {
    id          = "rate"
    label       = "Cold starts, percent of invocations"
    expression  = "100 * FILL(cold, 0) / invocations"
    return_data = true
  }

  metric_query {
    id = "cold"

    metric {
      namespace   = var.metric_namespace
      metric_name = local.cold_starts_metric
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "invocations"

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = var.name }
      period      = 300
      stat        = "Sum"
    }
  }
}
