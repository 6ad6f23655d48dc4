"""Structured logs. Powertools' tracer and metrics are not imported: at start they cost more than all else here."""

from aws_lambda_powertools import Logger

from target.settings import Settings


def configure_logging(settings: Settings, function: str) -> Logger:
    """Return the logger whose JSON format every logger below `target` then shares."""
    logger = Logger(service="target", level="DEBUG" if settings.debug else settings.powertools_log_level)
    logger.append_keys(function=function, version=settings.app_version)
    return logger
