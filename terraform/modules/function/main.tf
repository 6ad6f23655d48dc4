# One Lambda function with the role, log group and alias that are its own.

locals {
  log_group_name = "/aws/lambda/${var.name}"
  log_group_arn  = "arn:aws:logs:${var.aws_region}:${var.account_id}:log-group:${local.log_group_name}"
  canary_weight  = try(var.release.canary_weight_percent, 0)
  queue_arn      = "arn:aws:sqs:${var.aws_region}:${var.account_id}:${var.name}"
  function_arn   = "arn:aws:lambda:${var.aws_region}:${var.account_id}:function:${var.name}"
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:Invoked synchronously or from SQS, whose own redrive policy puts aside what fails; this setting is for neither.
  #checkov:skip=CKV_AWS_117:The database is reached over TLS from outside AWS: a VPC would need a NAT gateway, more than the whole budget.
  #checkov:skip=CKV_AWS_272:Artifacts are addressed by their SHA-256, and only the release role writes them.
  #checkov:skip=CKV_AWS_173:No variable is a secret: those are read from Secrets Manager at run time.
  #checkov:skip=CKV_AWS_50:X-Ray's actions take no resource, so tracing would put a wildcard into every role.

  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  handler                        = var.handler
  runtime                        = var.runtime
  architectures                  = [var.architecture]
  memory_size                    = var.memory_mb
  timeout                        = var.timeout_s
  reserved_concurrent_executions = var.reserved_concurrency
  layers                         = var.layers
  s3_bucket                      = var.artifact.bucket
  s3_key                         = var.artifact.key
  source_code_hash               = var.artifact.source_hash
  publish                        = true

  environment {
    variables = var.environment
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "What the routes, schedules and queues invoke."
  function_name    = aws_lambda_function.this.function_name
  function_version = try(var.release.stable_version, aws_lambda_function.this.version)

  dynamic "routing_config" {
    for_each = local.canary_weight > 0 ? [local.canary_weight] : []

    content {
      additional_version_weights = { (var.release.canary_version) = routing_config.value / 100 }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Encrypted at rest with AWS's own key; the functions log no secret, and a key of our own costs per month.
  #checkov:skip=CKV_AWS_338:How long is kept is each environment's choice (log_retention_days); evidence is kept in run directories.

  name              = local.log_group_name
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name = var.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "least-privilege"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "WriteOwnLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${local.log_group_arn}:*"]
      }],
      var.queue == null ? [] : [{
        Sid      = "ReceiveFromOwnQueue"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = [local.queue_arn]
      }],
      [for name, statement in var.statements : {
        Sid      = replace(title(replace(name, "-", " ")), " ", "")
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }],
    )
  })
}
