"""What a function tells about itself: logs, metrics and traces, joined by the correlation id of one request."""

from target.observability.correlation import correlated, correlation_id
from target.observability.logs import configure_logging
from target.observability.metrics import MetricUnit, record_metric
from target.observability.redaction import hide_in_logs
from target.observability.traces import traced

__all__ = ["MetricUnit", "configure_logging", "correlated", "correlation_id", "hide_in_logs", "record_metric", "traced"]
