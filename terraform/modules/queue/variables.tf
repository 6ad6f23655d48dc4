variable "name" {
  description = "Name of the queue; the dead-letter queue adds -dead-letter."
  type        = string
}

variable "max_receive_count" {
  description = "How often a message is tried before it is put aside."
  type        = number

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be between 1 and 1000."
  }
}

variable "consumer_timeout_s" {
  description = "Timeout of the function that consumes it."
  type        = number
}

variable "alarm_topic_arn" {
  description = "Topic that the alarms are sent to."
  type        = string
}

variable "age_alarm_threshold" {
  description = "Seconds that the oldest message may wait."
  type        = number
}
