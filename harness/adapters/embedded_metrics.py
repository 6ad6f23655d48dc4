"""Metrics that functions write into their logs.

Source: Amazon CloudWatch user guide, "Specification: Embedded metric format".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def read_metrics(directories: Sequence[Path], names: Sequence[str]) -> Mapping[str, list[float]]:
    """Every value of these metrics in the log files of these directories, in the order in which it was written."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for document in _documents(directories):
        declared = {metric["Name"] for each in document["_aws"]["CloudWatchMetrics"] for metric in each["Metrics"]}
        for name in declared & found.keys():
            value = document[name]
            found[name] += map(float, value if isinstance(value, list) else [value])
    return found


def _documents(directories: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in sorted(path for directory in directories for path in directory.glob("*.log")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"_aws"' in line:
                document = _parsed(line)
                if document is not None:
                    yield document


def _parsed(line: str) -> dict[str, Any] | None:
    """The line's document; a line may have been cut, or only speak of metrics."""
    try:
        document = json.loads(line[line.index("{") :])
        return document if document["_aws"]["CloudWatchMetrics"] else None
    except (ValueError, KeyError, TypeError):
        return None
