# What each function may do, by name: a role holds the statements that its function uses and no others.
# Writing to its own log group is part of modules/function, since every function does that.

locals {
  statements = {
    read-database-secret = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [local.secret_arns["database"]]
    }
    read-api-keys = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [local.secret_arns["api-keys"]]
    }
    # Who may not list a bucket is told of an absent object that it is forbidden.
    read-cache = {
      actions   = ["s3:GetObject", "s3:ListBucket"]
      resources = [local.cache_arn, "${local.cache_arn}/${local.cache_prefix}*"]
    }
    write-cache = {
      actions   = ["s3:DeleteObject", "s3:PutObject"]
      resources = ["${local.cache_arn}/${local.cache_prefix}*"]
    }
    send-jobs = {
      actions   = ["sqs:SendMessage"]
      resources = [local.queue_arns["worker"]]
    }
    send-retries = {
      actions   = ["sqs:SendMessage"]
      resources = [local.queue_arns["ingest"]]
    }
  }

  cache_arn  = "arn:aws:s3:::${local.buckets["cache"].name}"
  queue_arns = { for key in keys(local.queue_urls) : key => "arn:aws:sqs:${var.aws_region}:${var.account_id}:${local.prefix}-${key}" }
}

# API Gateway writes its logs as this role. AWS checks that it holds the whole managed policy.
resource "aws_iam_role" "api_gateway" {
  count = var.sets_api_gateway_account ? 1 : 0

  name = "${local.prefix}-api-gateway-logs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "api_gateway" {
  count = var.sets_api_gateway_account ? 1 : 0

  role       = aws_iam_role.api_gateway[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "main" {
  count = var.sets_api_gateway_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway[0].arn

  depends_on = [aws_iam_role_policy_attachment.api_gateway]
}

# EventBridge invokes the functions that have schedules, and no others.
resource "aws_iam_role" "eventbridge" {
  name = "${local.prefix}-eventbridge"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "eventbridge" {
  count = length(local.schedules) > 0 ? 1 : 0

  name = "invoke-scheduled-functions"
  role = aws_iam_role.eventbridge.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "InvokeScheduledFunctions"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = distinct([for schedule in values(local.schedules) : module.function[schedule.function].alias_arn])
      }],
      length(local.scheduled_dead_letters) == 0 ? [] : [{
        Sid      = "PutAsideWhatFails"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = local.scheduled_dead_letters
      }],
    )
  })
}

locals {
  scheduled_dead_letters = distinct([
    for schedule in values(local.schedules) : "arn:aws:sqs:${var.aws_region}:${var.account_id}:${local.prefix}-${schedule.function}-dead-letter"
    if length(local.functions[schedule.function].queue) > 0
  ])
}
