variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
}

variable "description" {
  description = "One line for the console."
  type        = string
}

variable "handler" {
  description = "Python path of the handler, as module.function."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z_][a-zA-Z0-9_]*(\\.[a-zA-Z_][a-zA-Z0-9_]*)+$", var.handler))
    error_message = "handler must be module.function, such as target.functions.trades.handler.handler."
  }
}

variable "runtime" {
  description = "Lambda runtime."
  type        = string
}

variable "architecture" {
  description = "Processor architecture."
  type        = string
}

variable "memory_mb" {
  description = "Memory; the share of a processor follows from it."
  type        = number
}

variable "timeout_s" {
  description = "Seconds after which Lambda ends an invocation; the HTTP API gives up after 30."
  type        = number

  validation {
    condition     = var.timeout_s >= 1 && var.timeout_s <= 900
    error_message = "timeout_s must be between 1 and 900."
  }
}

variable "reserved_concurrency" {
  description = "Execution environments that it may have at once, each with one database connection."
  type        = number
}

variable "layers" {
  description = "ARNs of the layer versions, in the order that they are laid."
  type        = list(string)

  validation {
    condition     = length(var.layers) <= 5
    error_message = "A function takes at most five layers."
  }
}

variable "artifact" {
  description = "Where the package lies in S3, and the base64 SHA-256 of its content."
  type = object({
    bucket      = string
    key         = string
    source_hash = string
  })
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "statements" {
  description = "What the role allows beyond the function's own logs, by name."
  type = map(object({
    actions   = list(string)
    resources = list(string)
  }))

  validation {
    condition = alltrue([
      for statement in values(var.statements) :
      !contains(statement.resources, "*") && alltrue([for action in statement.actions : !strcontains(action, "*")])
    ])
    error_message = "Name each action and resource: a wildcard grants more than the function uses."
  }
}

variable "log_retention_days" {
  description = "How long the log group keeps its events."
  type        = number
}

variable "aws_region" {
  description = "Region, for ARNs that are built from names."
  type        = string
}

variable "account_id" {
  description = "Account, for ARNs that are built from names."
  type        = string
}

variable "release" {
  description = "Versions behind the alias and the weight between them; null means the newest version alone."
  type = object({
    stable_version        = string
    canary_version        = optional(string)
    canary_weight_percent = optional(number, 0)
  })
  default = null
}

variable "queue" {
  description = "The queue that the function consumes; null means none."
  type = object({
    batch_size          = optional(number, 1)
    max_receive_count   = optional(number, 3)
    maximum_concurrency = optional(number, 2)
  })
  default = null
}

variable "alarm_topic_arn" {
  description = "Topic that the alarms are sent to."
  type        = string
}

variable "alarm_thresholds" {
  description = "When the alarms go off."
  type = object({
    duration_p95_ms    = number
    cold_start_percent = number
    queue_age_s        = number
  })
}

variable "metric_namespace" {
  description = "Namespace of the metrics that are our own."
  type        = string
}
