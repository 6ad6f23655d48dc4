"""`parakeet compare` over a stored run: how many stored exchanges it judges in a second.

An exchange is one request with its answer, on one side, in one pass: a step that was replayed twice holds four. The
reference only unpacks the same file and parses its lines as JSON.
"""

import gzip
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path

import orjson

from bench.measure import Benchmark, Figure, Limit, Part, measure_rate
from bench.stored_run import expected_outcomes, store_run
from harness.domain.compare.rules import Rules
from harness.domain.evidence import EXCHANGES_FILE
from harness.wiring.judgement import judge_run

_SESSIONS = 250
_FLOOR_PER_S = 10_000
_RULES = Rules(today=date(2026, 2, 5))


def _run() -> Figure:
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        exchanges = store_run(run, _SESSIONS)
        _require_expected(run)
        return measure_rate("recompare", exchanges, lambda: judge_run(run, _RULES), lambda: _parse(run))


def _parse(run: Path) -> None:
    with gzip.open(run / EXCHANGES_FILE, "rb") as file:
        for line in file:
            orjson.loads(line)


def _require_expected(run: Path) -> None:
    found = Counter(comparison.outcome for comparison in judge_run(run, _RULES).comparisons)
    if found != expected_outcomes(_SESSIONS):
        raise RuntimeError(f"recompare: {dict(found)} instead of {expected_outcomes(_SESSIONS)}")


BENCHMARKS = (
    Benchmark(
        name="recompare",
        about="stored exchanges judged a second, against unpacking and parsing their lines",
        run=_run,
        limit=Limit(bound=_FLOOR_PER_S, of=Part.VALUE, is_floor=True),
    ),
)
