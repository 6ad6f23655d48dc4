output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "alias" {
  description = "Name of the alias that callers invoke."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "ARN of that alias, from its name."
  value       = "${local.function_arn}:${aws_lambda_alias.live.name}"
}

output "invoke_arn" {
  description = "What API Gateway calls, from the alias's name."
  value       = "arn:aws:apigateway:${var.aws_region}:lambda:path/2015-03-31/functions/${local.function_arn}:${aws_lambda_alias.live.name}/invocations"
}

output "log_group_name" {
  description = "Log group of the function."
  value       = aws_cloudwatch_log_group.this.name
}

output "cold_starts_metric" {
  description = "Name of the metric that counts cold starts."
  value       = local.cold_starts_metric
}

output "queue_url" {
  description = "Address of the function's queue, or null."
  value       = one(module.queue[*].url)
}

output "dead_letter_arn" {
  description = "ARN of the queue for what failed too often, or null."
  value       = one(module.queue[*].dead_letter_arn)
}

output "traffic" {
  description = "Percent of the traffic by version; empty while the newest version takes all."
  value = var.release == null ? {} : merge(
    { (var.release.stable_version) = 100 - local.canary_weight },
    local.canary_weight > 0 ? { (var.release.canary_version) = local.canary_weight } : {},
  )
}
