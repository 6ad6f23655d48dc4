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
  }
}
