"""Structured logs: a JSON object a line, with the correlation id, without secrets."""

import logging
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from target.observability.correlation import correlation_id
from target.observability.metrics import configure_metrics
from target.observability.redaction import redact
from target.settings import Settings


class LineFormat(LambdaPowertoolsFormatter):
    """Powertools' format of a line, with the correlation id of this context and with secrets hidden."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if correlation_id():
            record.correlation_id = correlation_id()
        return redact(super().format(record))


def configure_logging(settings: Settings, function: str) -> Logger:
    """Return the logger whose format every logger below `target` then shares; metrics go to the settings' namespace."""
    configure_metrics(settings.powertools_metrics_namespace)
    level = "DEBUG" if settings.debug else settings.powertools_log_level
    logger = Logger(service="target", level=level, logger_formatter=LineFormat())
    keys: dict[str, Any] = {"function": function, "version": settings.app_version}
    logger.append_keys(**keys)
    return logger
