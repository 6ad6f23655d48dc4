# Functions that run by the clock. What fails here goes to the dead-letter queue of the function, if it has one.

locals {
  schedules = merge([
    for key, function in local.functions : {
      for name, schedule in function.schedules : "${key}-${name}" => merge(schedule, { function = key })
    }
  ]...)
}

resource "aws_scheduler_schedule_group" "main" {
  name = local.prefix
}

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:A schedule's input holds no secret; AWS's own key encrypts it.

  for_each = local.schedules

  name                         = "${local.prefix}-${each.key}"
  group_name                   = aws_scheduler_schedule_group.main.name
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function[each.value.function].alias_arn
    role_arn = aws_iam_role.eventbridge.arn
    input    = jsonencode(each.value.input)

    retry_policy {
      maximum_retry_attempts = 2
    }

    dynamic "dead_letter_config" {
      for_each = length(local.functions[each.value.function].queue) > 0 ? [each.value.function] : []

      content {
        arn = module.function[dead_letter_config.value].dead_letter_arn
      }
    }
  }
}
