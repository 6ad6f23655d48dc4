"""Metrics in CloudWatch's embedded format: a line on standard output each, from which CloudWatch makes the metric."""

from dataclasses import dataclass

from aws_lambda_powertools.metrics import MetricUnit, single_metric

__all__ = ["MetricUnit", "configure_metrics", "record_metric"]


@dataclass(slots=True)
class _Destination:
    """Where metrics go; without a namespace nowhere, which is so outside functions."""

    namespace: str = ""


_destination = _Destination()


def configure_metrics(namespace: str) -> None:
    """Let this process's metrics go to a namespace; an empty one drops them."""
    _destination.namespace = namespace


def record_metric(name: str, unit: MetricUnit, value: float, **dimensions: str) -> None:
    """Tell one value, at once; the function's name is a dimension already (POWERTOOLS_SERVICE_NAME).

    Each different set of dimension values is a metric of its own that costs: never give an id or a ticker.
    """
    if not _destination.namespace:
        return
    with single_metric(
        name=name, unit=unit, value=value, namespace=_destination.namespace, default_dimensions=dimensions
    ):
        pass
