# Work that is handed over: a queue of the function's name, and beside it the one for what failed too often.

module "queue" {
  source = "../queue"
  count  = var.queue == null ? 0 : 1

  name                = var.name
  max_receive_count   = var.queue.max_receive_count
  consumer_timeout_s  = var.timeout_s
  alarm_topic_arn     = var.alarm_topic_arn
  age_alarm_threshold = var.alarm_thresholds.queue_age_s
}

resource "aws_lambda_event_source_mapping" "queue" {
  count = var.queue == null ? 0 : 1

  event_source_arn        = module.queue[0].arn
  function_name           = "${local.function_arn}:${aws_lambda_alias.live.name}"
  batch_size              = var.queue.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = max(2, min(var.reserved_concurrency, var.queue.maximum_concurrency))
  }
}
