# The functions: one entry each, everything else in this root follows from the entry. `queue` holds at most one element.

locals {
  known_functions = {
    trades = {
      handler              = "target.functions.trades.handler.handler"
      memory_mb            = 1024
      timeout_s            = 30
      reserved_concurrency = 20
      layers               = ["dependencies"]
      statements           = ["read-database-secret"]
      routes               = ["ANY /api/trades", "ANY /api/trades/{proxy+}", "$default"]
      schedules            = {}
      queue                = []
      environment          = {}
      is_deployed          = true
    }
    data = {
      handler              = "target.functions.data.handler.handler"
      memory_mb            = 1024
      timeout_s            = 30
      reserved_concurrency = 10
      layers               = ["dependencies"]
      statements           = ["read-api-keys", "read-cache", "read-database-secret", "send-jobs"]
      routes               = ["ANY /api/data", "ANY /api/data/{proxy+}", "ANY /api/universes", "ANY /api/universes/{proxy+}"]
      schedules            = {}
      queue                = []
      environment          = merge(local.api_keys, local.jobs)
      is_deployed          = true
    }
    strategies = {
      handler              = "target.functions.strategies.handler.handler"
      memory_mb            = 1024
      timeout_s            = 30
      reserved_concurrency = 10
      layers               = ["dependencies"]
      statements           = ["read-database-secret", "send-jobs"]
      routes               = ["ANY /api/strategies", "ANY /api/strategies/{proxy+}", "ANY /api/dashboard", "ANY /api/dashboard/{proxy+}"]
      schedules            = {}
      queue                = []
      environment          = local.jobs
      is_deployed          = true
    }
    scanner = {
      handler              = "target.functions.scanner.handler.handler"
      memory_mb            = 1024
      timeout_s            = 30
      reserved_concurrency = 5
      layers               = ["dependencies"]
      statements           = ["read-database-secret", "send-jobs"]
      routes               = ["ANY /api/scanner", "ANY /api/scanner/{proxy+}"]
      schedules            = {}
      queue                = []
      environment          = local.jobs
      is_deployed          = true
    }
    quant2 = {
      handler              = "target.functions.quant2.handler.handler"
      memory_mb            = 1769
      timeout_s            = 30
      reserved_concurrency = 10
      layers               = ["dependencies", "frames"]
      statements           = ["read-cache"]
      routes               = ["ANY /api/quant2", "ANY /api/quant2/{proxy+}"]
      schedules            = {}
      queue                = []
      environment          = {}
      is_deployed          = true
    }
    validation = {
      handler              = "target.functions.validation.handler.handler"
      memory_mb            = 1024
      timeout_s            = 30
      reserved_concurrency = 5
      layers               = ["dependencies", "frames"]
      statements           = ["read-database-secret"]
      routes               = ["ANY /api/validation", "ANY /api/validation/{proxy+}"]
      schedules            = {}
      queue                = []
      environment          = {}
      is_deployed          = true
    }
    worker = {
      handler              = "target.functions.worker.handler.handler"
      memory_mb            = 1769
      timeout_s            = 300
      reserved_concurrency = 4
      layers               = ["dependencies", "frames"]
      statements           = ["read-api-keys", "read-cache", "read-database-secret", "write-cache"]
      routes               = []
      schedules            = {}
      queue                = [{ batch_size = 1, maximum_concurrency = 4 }]
      environment          = merge(local.api_keys, local.market, { ALLOCATION_MODE = var.allocation_mode })
      is_deployed          = true
    }
    ingest = {
      handler              = "target.functions.ingest.handler.handler"
      memory_mb            = 1769
      timeout_s            = 600
      reserved_concurrency = 2
      layers               = ["dependencies"]
      statements           = ["read-api-keys", "read-database-secret", "send-retries"]
      routes               = []
      schedules            = { daily = { expression = "cron(0 6 * * ? *)", timezone = "UTC", input = { universe_key = var.ingest_universe } } }
      queue                = [{ batch_size = 1, maximum_concurrency = 2 }]
      environment          = merge(local.api_keys, local.market, { INGEST_QUEUE_URL = local.queue_urls["ingest"] })
      is_deployed          = true
    }
    edge-authorizer = {
      handler              = "target.functions.edge_authorizer.handler.handler"
      memory_mb            = 256
      timeout_s            = 5
      reserved_concurrency = 20
      layers               = ["dependencies"]
      statements           = ["read-api-keys"]
      routes               = []
      schedules            = {}
      queue                = []
      environment          = local.api_keys
      is_deployed          = var.edge_authorizer
    }
  }

  functions = { for key, function in local.known_functions : key => function if function.is_deployed }

  layers = {
    dependencies = "Third-party packages of every function."
    frames       = "NumPy and Arrow, for functions that compute."
  }

  # AWS_REGION and AWS_LAMBDA_FUNCTION_NAME are set by Lambda itself.
  common_environment = {
    AWS_SECRETS_MANAGER_NAME     = local.secrets["database"].name
    AUTH_MODE                    = var.auth_mode
    CORS_ORIGINS                 = join(",", var.cors_origins)
    DATABASE_POOLER              = tostring(var.uses_database_pooler)
    IS_LAMBDA                    = "true"
    POWERTOOLS_LOG_LEVEL         = var.log_level
    POWERTOOLS_METRICS_NAMESPACE = local.metric_namespace
    S3_BUCKET_NAME               = local.buckets["cache"].name
    S3_CACHE_PREFIX              = local.cache_prefix
    USE_NEON                     = "true"
    USE_S3_CACHE                 = tostring(var.use_s3_cache)
  }

  # What only some functions are told. The queues' addresses are built from names, as their ARNs are.
  api_keys = { API_KEYS_SECRET_NAME = local.secrets["api-keys"].name }
  jobs     = { JOBS_QUEUE_URL = local.queue_urls["worker"] }
  market   = { TIINGO_BASE_URL = var.market_urls.tiingo, YAHOO_BASE_URL = var.market_urls.yahoo }

  queue_urls = {
    for key in ["ingest", "worker"] : key => "https://sqs.${var.aws_region}.amazonaws.com/${var.account_id}/${local.prefix}-${key}"
  }

  reserved_concurrency = {
    for key, function in local.functions :
    key => try(coalesce(var.function_sizes[key].reserved_concurrency), function.reserved_concurrency)
  }

  # An execution environment holds one connection where it may read the address of the database, and none elsewhere.
  database_connections = sum([
    for key, function in local.functions :
    local.reserved_concurrency[key] if contains(function.statements, "read-database-secret")
  ])
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name                 = "${local.prefix}-${each.key}"
  description          = "Potential Parakeet ${each.key}, ${var.environment}"
  handler              = each.value.handler
  runtime              = var.lambda_runtime
  architecture         = var.lambda_architecture
  memory_mb            = try(coalesce(var.function_sizes[each.key].memory_mb), each.value.memory_mb)
  timeout_s            = each.value.timeout_s
  reserved_concurrency = local.reserved_concurrency[each.key]
  release              = try(var.releases[each.key], null)
  queue                = one(each.value.queue)
  alarm_topic_arn      = aws_sns_topic.alarms.arn
  alarm_thresholds     = var.alarm_thresholds
  metric_namespace     = local.metric_namespace
  layers               = [for layer in each.value.layers : aws_lambda_layer_version.this[layer].arn]
  log_retention_days   = var.log_retention_days
  aws_region           = var.aws_region
  account_id           = var.account_id

  artifact = {
    bucket      = module.bucket["artifacts"].name
    key         = aws_s3_object.function[each.key].key
    source_hash = filebase64sha256("${var.artifacts_directory}/functions/${each.key}.zip")
  }

  environment = merge(
    local.common_environment,
    { POWERTOOLS_SERVICE_NAME = each.key },
    each.value.environment,
  )

  statements = { for name in each.value.statements : name => local.statements[name] }
}

# Artifacts are addressed by their content: every version stays, so that going back is a change of alias alone.
resource "aws_s3_object" "function" {
  for_each = local.functions

  bucket = module.bucket["artifacts"].name
  key    = "functions/${each.key}/${filesha256("${var.artifacts_directory}/functions/${each.key}.zip")}.zip"
  source = "${var.artifacts_directory}/functions/${each.key}.zip"
}

resource "aws_s3_object" "layer" {
  for_each = local.layers

  bucket = module.bucket["artifacts"].name
  key    = "layers/${each.key}/${filesha256("${var.artifacts_directory}/layers/${each.key}.zip")}.zip"
  source = "${var.artifacts_directory}/layers/${each.key}.zip"
}

resource "aws_lambda_layer_version" "this" {
  for_each = local.layers

  layer_name               = "${local.prefix}-${each.key}"
  description              = each.value
  s3_bucket                = module.bucket["artifacts"].name
  s3_key                   = aws_s3_object.layer[each.key].key
  source_code_hash         = filebase64sha256("${var.artifacts_directory}/layers/${each.key}.zip")
  compatible_runtimes      = [var.lambda_runtime]
  compatible_architectures = [var.lambda_architecture]
  skip_destroy             = local.is_production
}

# More execution environments than connections would refuse each other.
resource "terraform_data" "concurrency_limit" {
  input = local.database_connections

  lifecycle {
    precondition {
      condition     = local.database_connections <= var.database_max_connections - 10
      error_message = "Reserved concurrency of the functions that use the database must stay at least 10 below database_max_connections: lower function_sizes or raise the database's limit."
    }
  }
}
