output "api_gateway_url" {
  description = "Address of the HTTP API."
  value       = aws_apigatewayv2_stage.default.invoke_url
}

output "function_names" {
  description = "Deployed names of the functions, by key."
  value       = { for key, function in module.function : key => function.name }
}

output "bucket_names" {
  description = "Names of the buckets, by key."
  value       = { for key, bucket in module.bucket : key => bucket.name }
}

output "secret_names" {
  description = "Names of the secrets, by key; operators put their values."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.name }
}

output "alarm_topic_arn" {
  description = "Topic that every alarm is sent to."
  value       = aws_sns_topic.alarms.arn
}

output "release_role_arn" {
  description = "Role of the release workflow, or null where no repository is named."
  value       = one([for role in aws_iam_role.github : role.arn])
}
