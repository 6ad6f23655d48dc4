variable "environment" {
  description = "Which deployment this is; part of every name."
  type        = string

  validation {
    condition     = contains(["local", "dev", "staging", "prod"], var.environment)
    error_message = "environment must be local, dev, staging or prod."
  }
}

variable "aws_region" {
  description = "Region of everything in this root."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.aws_region))
    error_message = "aws_region must look like us-east-1."
  }
}

variable "account_id" {
  description = "AWS account of this deployment. Credentials of another account are refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the twelve digits of your AWS account."
  }
}

variable "artifacts_directory" {
  description = "Where `parakeet build` put functions/<key>.zip and layers/<name>.zip, relative to this directory."
  type        = string
  default     = "../artifacts/.cache/build"
}

variable "lambda_runtime" {
  description = "Python of the functions. The local cloud runs the interpreter that it has and says which."
  type        = string
  default     = "python3.12"

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13"], var.lambda_runtime)
    error_message = "lambda_runtime must be python3.11, python3.12 or python3.13."
  }
}

variable "lambda_architecture" {
  description = "Processor of the functions; the layers must be built for it."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.lambda_architecture)
    error_message = "lambda_architecture must be x86_64 or arm64."
  }
}

variable "function_sizes" {
  description = "Memory and reserved concurrency that differ from the defaults in lambda.tf, by function."
  type = map(object({
    memory_mb            = optional(number)
    reserved_concurrency = optional(number)
  }))
  default = {}

  validation {
    condition = alltrue([
      for size in values(var.function_sizes) : try(size.memory_mb >= 128 && size.memory_mb <= 10240, size.memory_mb == null)
    ])
    error_message = "memory_mb must be between 128 and 10240."
  }

  validation {
    condition = alltrue([
      for size in values(var.function_sizes) : try(size.reserved_concurrency >= 1, size.reserved_concurrency == null)
    ])
    error_message = "reserved_concurrency must be at least 1; a function that reserves nothing could exhaust the database."
  }
}

variable "database_max_connections" {
  description = "Connections that the database (or its pooler) accepts; every execution environment holds one."
  type        = number
  default     = 100

  validation {
    condition     = var.database_max_connections >= 11
    error_message = "database_max_connections must be at least 11: ten are kept for migrations and operators."
  }
}

variable "uses_database_pooler" {
  description = "Whether NEON_DATABASE_URL leads to a transaction-mode pooler, through which nothing may be prepared."
  type        = bool
  default     = false
}

variable "auth_mode" {
  description = "compat accepts exactly what the legacy accepts; strict demands exp, aud and iss, and a token on every write."
  type        = string
  default     = "compat"

  validation {
    condition     = contains(["compat", "strict"], var.auth_mode)
    error_message = "auth_mode must be compat or strict."
  }
}

variable "allocation_mode" {
  description = "compat weights backtests as the legacy does, which has no optimiser; exact as the method's name says."
  type        = string
  default     = "compat"

  validation {
    condition     = contains(["compat", "exact"], var.allocation_mode)
    error_message = "allocation_mode must be compat or exact."
  }
}

variable "use_s3_cache" {
  description = "Whether prices are cached in the cache bucket."
  type        = bool
  default     = true
}

variable "market_urls" {
  description = "Where Tiingo and Yahoo are asked for prices."
  type = object({
    tiingo = string
    yahoo  = string
  })
  default = { tiingo = "https://api.tiingo.com", yahoo = "https://query1.finance.yahoo.com" }

  validation {
    condition     = alltrue([for url in values(var.market_urls) : can(regex("^https?://[^/?#]+$", url))])
    error_message = "market_urls are scheme and host with no path, such as https://api.tiingo.com."
  }
}

variable "ingest_universe" {
  description = "Universe whose prices are ingested every day."
  type        = string
  default     = "SPX500"

  validation {
    condition     = can(regex("^[A-Z][A-Z0-9_]*$", var.ingest_universe))
    error_message = "ingest_universe is the key of a universe, such as SPX500 or ASX200."
  }
}

variable "log_level" {
  description = "Least severe level that the functions log."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "How long log groups keep their events."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch Logs offers, such as 14, 30 or 90."
  }
}

variable "cors_origins" {
  description = "Origins of the user interface: the functions answer CORS for them, and the cache bucket lets them read."
  type        = list(string)

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "Each origin is scheme and host with no path and no wildcard, such as https://app.example.com."
  }
}

variable "throttle" {
  description = "What the HTTP API lets through: a steady rate per second and a burst."
  type = object({
    rate_rps = number
    burst    = number
  })
  default = { rate_rps = 500, burst = 1000 }

  validation {
    condition     = var.throttle.rate_rps > 0 && var.throttle.burst > 0
    error_message = "rate_rps and burst must be greater than 0; 0 would refuse every request."
  }
}

variable "releases" {
  description = "Versions behind each function's alias: absent means the newest. A canary takes its weight of the traffic."
  type = map(object({
    stable_version        = string
    canary_version        = optional(string)
    canary_weight_percent = optional(number, 0)
  }))
  default = {}

  validation {
    condition = alltrue([
      for release in values(var.releases) :
      release.canary_weight_percent >= 0 && release.canary_weight_percent <= 100
    ])
    error_message = "canary_weight_percent must be between 0 and 100."
  }

  validation {
    condition = alltrue([
      for release in values(var.releases) :
      release.canary_weight_percent == 0 || (release.canary_version != null && release.canary_version != release.stable_version)
    ])
    error_message = "A weight needs a canary_version that differs from stable_version."
  }

  validation {
    condition     = alltrue([for release in values(var.releases) : can(regex("^[1-9][0-9]*$", release.stable_version))])
    error_message = "stable_version must be the number of a published version."
  }
}

variable "edge_authorizer" {
  description = "Whether every route demands the edge's origin secret, checked by a REQUEST authorizer."
  type        = bool
  default     = false
}

variable "sets_api_gateway_account" {
  description = "Whether this deployment sets the role that API Gateway logs with; it is one per account and region."
  type        = bool
  default     = true
}

variable "alarm_emails" {
  description = "Who is told of alarms; each address has to confirm its subscription."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "alarm_emails must be e-mail addresses."
  }
}

variable "alarm_thresholds" {
  description = "When the alarms go off: p95 duration in ms, cold starts in percent of invocations, queue age in seconds."
  type = object({
    duration_p95_ms    = optional(number, 1000)
    cold_start_percent = optional(number, 10)
    queue_age_s        = optional(number, 900)
  })
  default = {}

  validation {
    condition     = alltrue([for threshold in values(var.alarm_thresholds) : threshold > 0])
    error_message = "Thresholds must be greater than 0."
  }

  validation {
    condition     = var.alarm_thresholds.cold_start_percent <= 100
    error_message = "cold_start_percent is a share of invocations: at most 100."
  }
}

variable "monthly_budget_usd" {
  description = "Monthly cost above which the alarm addresses are warned; 0 means no budget."
  type        = number
  default     = 0

  validation {
    condition     = var.monthly_budget_usd >= 0
    error_message = "monthly_budget_usd must not be negative."
  }

  validation {
    condition     = var.monthly_budget_usd == floor(var.monthly_budget_usd)
    error_message = "monthly_budget_usd is in whole dollars."
  }
}

variable "github_repository" {
  description = "owner/name of the repository whose workflows release; empty means none may."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)?$", var.github_repository))
    error_message = "github_repository must be owner/name, or empty."
  }
}

variable "creates_github_oidc_provider" {
  description = "Whether this deployment creates GitHub's identity provider; there is one per account."
  type        = bool
  default     = true
}
