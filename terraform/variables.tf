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

variable "use_s3_cache" {
  description = "Whether prices are cached in the cache bucket."
  type        = bool
  default     = true
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
