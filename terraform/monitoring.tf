# Where alarms go and what the dashboard shows; each function's own alarms are in modules/function.

locals {
  metric_namespace = "PotentialParakeet/${var.environment}"
}

resource "aws_sns_topic" "alarms" {
  name              = "${local.prefix}-alarms"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_cloudwatch_metric_alarm" "api_5xx" {
  alarm_name          = "${local.prefix}-api-5xx"
  alarm_description   = "Clients were answered with 5xx, be it by a function, a throttle or the gateway."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.main.id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type   = "metric"
        x      = 0
        y      = 0
        width  = 24
        height = 6
        properties = {
          title  = "HTTP API"
          region = var.aws_region
          stat   = "Sum"
          period = 300
          metrics = [
            ["AWS/ApiGateway", "Count", "ApiId", aws_apigatewayv2_api.main.id],
            ["AWS/ApiGateway", "4xx", "ApiId", aws_apigatewayv2_api.main.id],
            ["AWS/ApiGateway", "5xx", "ApiId", aws_apigatewayv2_api.main.id],
            ["AWS/ApiGateway", "Latency", "ApiId", aws_apigatewayv2_api.main.id, { stat = "p99", yAxis = "right" }],
          ]
        }
      }],
      flatten([
        for index, key in keys(local.functions) : [
          {
            type   = "metric"
            x      = 0
            y      = 6 * (index + 1)
            width  = 12
            height = 6
            properties = {
              title  = "${key}: calls"
              region = var.aws_region
              stat   = "Sum"
              period = 300
              metrics = [
                ["AWS/Lambda", "Invocations", "FunctionName", module.function[key].name],
                ["AWS/Lambda", "Errors", "FunctionName", module.function[key].name],
                ["AWS/Lambda", "Throttles", "FunctionName", module.function[key].name],
                [local.metric_namespace, module.function[key].cold_starts_metric],
              ]
            }
          },
          {
            type   = "metric"
            x      = 12
            y      = 6 * (index + 1)
            width  = 12
            height = 6
            properties = {
              title  = "${key}: duration and environments"
              region = var.aws_region
              period = 300
              metrics = [
                ["AWS/Lambda", "Duration", "FunctionName", module.function[key].name, { stat = "p50" }],
                ["AWS/Lambda", "Duration", "FunctionName", module.function[key].name, { stat = "p95" }],
                ["AWS/Lambda", "Duration", "FunctionName", module.function[key].name, { stat = "p99" }],
                ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", module.function[key].name, { stat = "Maximum", yAxis = "right" }],
              ]
            }
          },
        ]
      ]),
    )
  })
}

resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd > 0 ? 1 : 0

  name         = "${local.prefix}-monthly"
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "TagKeyValue"
    values = ["user:Project$${local.project}"]
  }

  dynamic "notification" {
    for_each = length(var.alarm_emails) > 0 ? { FORECASTED = 100, ACTUAL = 80 } : {}

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
