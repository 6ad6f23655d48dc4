# Routes are one ANY per prefix and $default, so that 404, 405 and Allow are the application's own. There is no CORS
# block: it would answer preflights here and override the headers that the application sets.

locals {
  routes = merge([
    for key, function in local.functions : { for route in function.routes : route => key }
  ]...)

  routed_functions = { for key, function in local.functions : key => function if length(function.routes) > 0 }
}

resource "aws_apigatewayv2_api" "main" {
  name          = local.prefix
  description   = "HTTP API of the target"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.main.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      requestId        = "$context.requestId"
      requestTime      = "$context.requestTimeEpoch"
      sourceIp         = "$context.identity.sourceIp"
      method           = "$context.httpMethod"
      path             = "$context.path"
      routeKey         = "$context.routeKey"
      status           = "$context.status"
      responseLength   = "$context.responseLength"
      responseLatency  = "$context.responseLatency"
      integrationError = "$context.integrationErrorMessage"
    })
  }

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate_rps
    throttling_burst_limit = var.throttle.burst
  }
}

resource "aws_cloudwatch_log_group" "api" {
  #checkov:skip=CKV_AWS_158:Encrypted at rest with AWS's own key; it holds no body and no token, and a key of our own costs per month.
  #checkov:skip=CKV_AWS_338:How long is kept is each environment's choice (log_retention_days); a year of access logs is nobody's need.

  name              = "/aws/apigateway/${local.prefix}"
  retention_in_days = var.log_retention_days
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = local.routed_functions

  api_id                 = aws_apigatewayv2_api.main.id
  integration_type       = "AWS_PROXY"
  integration_uri        = module.function[each.key].invoke_arn
  integration_method     = "POST"
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "function" {
  #checkov:skip=CKV_AWS_309:CUSTOM where the edge is on; elsewhere the application itself checks tokens, as the legacy does.

  for_each = local.routes

  api_id    = aws_apigatewayv2_api.main.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.function[each.value].id}"

  authorization_type = var.edge_authorizer ? "CUSTOM" : "NONE"
  authorizer_id      = one(aws_apigatewayv2_authorizer.edge[*].id)
}

resource "aws_lambda_permission" "api_gateway" {
  for_each = local.routed_functions

  statement_id  = "AllowInvokeFromHttpApi"
  action        = "lambda:InvokeFunction"
  function_name = module.function[each.key].name
  qualifier     = module.function[each.key].alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.main.execution_arn}/*"
}

# A route has one authorizer and HTTP API JWT authorizers take RSA issuers only, so this one checks that the request came
# through the edge; the application checks the user's token itself.
resource "aws_apigatewayv2_authorizer" "edge" {
  count = var.edge_authorizer ? 1 : 0

  api_id                            = aws_apigatewayv2_api.main.id
  name                              = "${local.prefix}-edge"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = module.function["edge-authorizer"].invoke_arn
  identity_sources                  = ["$request.header.x-edge-secret"]
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  authorizer_result_ttl_in_seconds  = 300
}

resource "aws_lambda_permission" "edge_authorizer" {
  count = var.edge_authorizer ? 1 : 0

  statement_id  = "AllowInvokeAsAuthorizer"
  action        = "lambda:InvokeFunction"
  function_name = module.function["edge-authorizer"].name
  qualifier     = module.function["edge-authorizer"].alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.main.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.edge[0].id}"
}
