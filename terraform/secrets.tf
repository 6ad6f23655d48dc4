# Values never pass through Terraform, whose state would keep them: operators put them (terraform/README.md).

locals {
  secrets = {
    database = {
      name        = "${local.project}/${var.environment}"
      description = "Database credentials, NEON_DATABASE_URL, with the key that tokens are signed with, JWT_SECRET."
    }
    api-keys = {
      name        = "${local.project}/${var.environment}/api-keys"
      description = "TIINGO_API_KEY, POLYGON_API_KEY and EDGE_ORIGIN_SECRET."
    }
  }

  # Secrets Manager appends six random characters to a secret's ARN; this is AWS's own form for naming one ahead of time.
  secret_arns = {
    for key, secret in local.secrets :
    key => "arn:aws:secretsmanager:${var.aws_region}:${var.account_id}:secret:${secret.name}-??????"
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted with the account's aws/secretsmanager key; no other account reads it, and a key of our own costs per month.
  #checkov:skip=CKV2_AWS_57:The database and the data vendors have no rotation function; operators rotate (README.md), functions notice by TTL.

  for_each = local.secrets

  name                    = each.value.name
  description             = each.value.description
  recovery_window_in_days = local.is_production ? 30 : 0
}
