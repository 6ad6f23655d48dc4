"""Backtest results on disk: `reports/<name>_results.json`."""

import json
from pathlib import Path
from typing import Any

REPORTS_FOLDER = Path("reports")
_SUFFIX = "_results"


def find_results(name: str) -> Any:
    """The stored results of a strategy, or None."""
    path = REPORTS_FOLDER / f"{name}{_SUFFIX}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def save_results(name: str, results: dict[str, Any]) -> None:
    """Writes the results of a strategy in place."""
    REPORTS_FOLDER.mkdir(exist_ok=True)
    path = REPORTS_FOLDER / f"{name}{_SUFFIX}.json"
    path.write_text(json.dumps(results, indent=2, default=str), encoding="utf-8")


def all_results() -> dict[str, Any]:
    """Every results file in directory order, then the pipeline's strategies that have none of their own.

    The pattern matches the pipeline's file too, which shows up as a strategy called "pipeline", as in the original.
    """
    found: dict[str, Any] = {}
    for path in REPORTS_FOLDER.glob(f"*{_SUFFIX}.json"):
        found[path.stem.replace(_SUFFIX, "")] = json.loads(path.read_text(encoding="utf-8"))
    pipeline = REPORTS_FOLDER / f"pipeline{_SUFFIX}.json"
    if pipeline.exists():
        document = json.loads(pipeline.read_text(encoding="utf-8"))
        for name, results in document.get("strategies", {}).items():
            found.setdefault(name, results)
    return found


def find_json(path: str) -> Any:
    """A JSON file below the application's root, or None."""
    file = Path(path)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
