"""Metrics are found in what functions log, whatever stands around them."""

import json
from pathlib import Path

from harness.adapters.embedded_metrics import read_metrics


def metric(**values: object) -> str:
    declared = [{"Name": name, "Unit": "Count"} for name in values]
    about = {
        "Timestamp": 1,
        "CloudWatchMetrics": [{"Namespace": "n", "Dimensions": [["service"]], "Metrics": declared}],
    }
    return json.dumps({"_aws": about, "service": "worker", **values})


def write(directory: Path, name: str, *lines: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory


def test_values_of_all_files_and_directories_are_found(tmp_path: Path) -> None:
    first = write(tmp_path / "a", "1.log", "START", metric(Hits=[3.0]), '{"level":"INFO"}', metric(Hits=4, Misses=1))
    second = write(tmp_path / "b", "1.log", metric(Hits=[5.0, 6.0]))
    assert read_metrics([first, second], ["Hits", "Misses", "Other"]) == {
        "Hits": [3.0, 4.0, 5.0, 6.0],
        "Misses": [1.0],
        "Other": [],
    }


def test_a_value_that_is_not_declared_is_no_metric(tmp_path: Path) -> None:
    line = json.loads(metric(Hits=1)) | {"Misses": 2}
    assert read_metrics([write(tmp_path, "1.log", json.dumps(line))], ["Misses"]) == {"Misses": []}


def test_cut_lines_and_talk_of_metrics_are_passed_over(tmp_path: Path) -> None:
    lines = (metric(Hits=1)[:40], 'see "_aws" for metrics', '{"_aws": 3}', '"_aws"', metric(Hits=2))
    assert read_metrics([write(tmp_path, "1.log", *lines)], ["Hits"]) == {"Hits": [2.0]}


def test_a_directory_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert read_metrics([tmp_path / "none"], ["Hits"]) == {"Hits": []}
