# What the release workflow may do: put artifacts, publish versions, move aliases. It cannot change this infrastructure.

locals {
  github_host = "token.actions.githubusercontent.com"
  github      = var.github_repository == "" ? [] : [var.github_repository]
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.creates_github_oidc_provider ? length(local.github) : 0

  url            = "https://${local.github_host}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "github" {
  #checkov:skip=CKV_AWS_393:The claim is repo:owner/name:environment:NAME in full; the check cannot evaluate each.value.

  for_each = toset(local.github)

  name = "${local.prefix}-release"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "arn:aws:iam::${var.account_id}:oidc-provider/${local.github_host}" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github_host}:aud" = "sts.amazonaws.com"
          # GitHub's environment of the same name carries the approvals: no branch alone gets in.
          "${local.github_host}:sub" = "repo:${each.value}:environment:${var.environment}"
        }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "github" {
  for_each = aws_iam_role.github

  name = "release"
  role = each.value.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "PutArtifacts"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${module.bucket["artifacts"].arn}/functions/*", "${module.bucket["artifacts"].arn}/layers/*"]
      },
      {
        Sid    = "ReleaseFunctions"
        Effect = "Allow"
        Action = [
          "lambda:GetAlias",
          "lambda:GetFunction",
          "lambda:GetFunctionConfiguration",
          "lambda:ListVersionsByFunction",
          "lambda:PublishVersion",
          "lambda:UpdateAlias",
          "lambda:UpdateFunctionCode",
        ]
        Resource = [
          for key in keys(local.functions) :
          "arn:aws:lambda:${var.aws_region}:${var.account_id}:function:${local.prefix}-${key}"
        ]
      },
    ]
  })
}
