# Each validation refuses what it is there to refuse. Plans only, with a provider that calls nobody.
# Packages must exist: run with -var=artifacts_directory=DIRECTORY, or `parakeet build` first.

mock_provider "aws" {}

variables {
  environment  = "local"
  account_id   = "123456789012"
  cors_origins = ["https://app.example.com"]
}

# A plan lists every variable that it refuses, so one run covers those that are independent of each other.
run "refuses_values_out_of_range" {
  command = plan

  variables {
    environment              = "production"
    account_id               = "42"
    aws_region               = "moon"
    cors_origins             = ["*"]
    lambda_runtime           = "python2.7"
    lambda_architecture      = "sparc"
    database_max_connections = 10
    auth_mode                = "open"
    allocation_mode          = "roughly"
    log_level                = "LOUD"
    log_retention_days       = 2
    market_urls              = { tiingo = "https://api.tiingo.com/tiingo", yahoo = "https://query1.finance.yahoo.com" }
    ingest_universe          = "all of it"
    throttle                 = { rate_rps = 0, burst = 1 }
    function_sizes           = { trades = { memory_mb = 64 } }
    alarm_emails             = ["nobody"]
    alarm_thresholds         = { cold_start_percent = 101 }
    monthly_budget_usd       = -1
    github_repository        = "only-a-name"
    releases                 = { trades = { stable_version = "1", canary_version = "2", canary_weight_percent = 101 } }
  }

  expect_failures = [
    var.environment,
    var.account_id,
    var.aws_region,
    var.cors_origins,
    var.lambda_runtime,
    var.lambda_architecture,
    var.database_max_connections,
    var.auth_mode,
    var.allocation_mode,
    var.log_level,
    var.log_retention_days,
    var.market_urls,
    var.ingest_universe,
    var.throttle,
    var.function_sizes,
    var.alarm_emails,
    var.alarm_thresholds,
    var.monthly_budget_usd,
    var.github_repository,
    var.releases,
  ]
}

run "refuses_values_below_range" {
  command = plan

  variables {
    function_sizes   = { trades = { reserved_concurrency = 0 } }
    alarm_thresholds = { queue_age_s = 0 }
    releases         = { trades = { stable_version = "1", canary_version = "2", canary_weight_percent = -1 } }
  }

  expect_failures = [var.function_sizes, var.alarm_thresholds, var.releases]
}

run "refuses_a_weight_without_a_canary" {
  command = plan

  variables {
    releases = { trades = { stable_version = "1", canary_weight_percent = 10 } }
  }

  expect_failures = [var.releases]
}

run "refuses_more_environments_than_connections" {
  command = plan

  variables {
    database_max_connections = 65
  }

  expect_failures = [terraform_data.concurrency_limit]
}

run "is_plain_by_default" {
  command = plan

  variables {
    database_max_connections = 66
  }

  assert {
    condition     = alltrue([for bucket in values(module.bucket) : endswith(bucket.name, "-local")])
    error_message = "Every bucket is named after its environment."
  }

  assert {
    condition     = alltrue([for bucket in values(module.bucket) : bucket.versioning == "Disabled"])
    error_message = "Only buckets of production keep versions."
  }

  assert {
    condition     = alltrue([for function in values(module.function) : length(function.traffic) == 0])
    error_message = "Without a release, the newest version takes all traffic."
  }

  assert {
    condition     = length(aws_budgets_budget.monthly) == 0 && length(aws_iam_role.github) == 0
    error_message = "A budget and a release role are there only when asked for."
  }
}

run "has_everything_when_asked" {
  command = plan

  variables {
    environment        = "prod"
    edge_authorizer    = true
    monthly_budget_usd = 45
    alarm_emails       = ["oncall@example.com"]
    github_repository  = "owner/name"
    releases           = { trades = { stable_version = "1", canary_version = "2", canary_weight_percent = 10 } }
  }

  assert {
    condition     = alltrue([for bucket in values(module.bucket) : bucket.versioning == "Enabled"])
    error_message = "Buckets of production keep versions."
  }

  assert {
    condition     = module.function["trades"].traffic == tomap({ "1" = 90, "2" = 10 })
    error_message = "A canary of 10 % leaves 90 % to the stable version."
  }

  assert {
    condition     = alltrue([for route in values(aws_apigatewayv2_route.function) : route.authorization_type == "CUSTOM"])
    error_message = "No route may bypass the edge."
  }

  assert {
    condition     = aws_budgets_budget.monthly[0].limit_amount == "45" && length(aws_sns_topic_subscription.email) == 1
    error_message = "The budget is the one asked for, and its addressee is told of alarms too."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.github["owner/name"].assume_role_policy)
      .Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:owner/name:environment:prod"
    )
    error_message = "The release role trusts one environment of one repository."
  }
}
