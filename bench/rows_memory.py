"""The most memory that comparing five million rows takes, beside what one million takes: it does not grow with them.

`python -m bench.rows_memory FILE` is the child process in which it is measured: FILE is the legacy's, the target's
address comes by standard input; it compares once and prints the rows, the differences and the peak, in MB.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import orjson

from bench.measure import Benchmark, Figure, Limit, figure
from bench.row_pair import row_pair
from harness.adapters.postgres_reader import PostgresSource
from harness.adapters.sqlite_reader import SqliteSource
from harness.engine.row_parity import compare_databases
from harness.staging.process_memory import peak_resident_mb

_MB_PER_MIB = 1.048576
_FEW, _MANY = 1_000_000, 5_000_000
_LARGEST_RATIO = 1.25
_LARGEST_MB = 400
_TIMEOUT_S = 900


def measure_peaks(few: int = _FEW, many: int = _MANY) -> Figure:
    """The peaks of both sizes."""
    reference, value = (asyncio.run(_peak_mb(rows)) for rows in (few, many))
    return figure("rows_parity_memory", value, reference, unit="MB")


async def _peak_mb(rows: int) -> float:
    async with row_pair(rows) as pair:
        command = [sys.executable, "-m", "bench.rows_memory", str(pair.file)]
        done = await asyncio.to_thread(
            subprocess.run, command, check=True, input=pair.dsn.encode(), stdout=subprocess.PIPE, timeout=_TIMEOUT_S
        )
    found = orjson.loads(done.stdout)
    if (found["rows"], found["differences"]) != (rows, 0):
        raise RuntimeError(f"{found['rows']} rows with {found['differences']} differences: expected {rows} and none")
    return float(found["peak_mb"])


async def _compare_once(file: Path, dsn: str) -> None:
    rows = differences = 0
    async for outcome in compare_databases(SqliteSource(file), PostgresSource(dsn), mapping={}):
        rows += outcome.legacy_rows
        differences += len(outcome.differences)
    peak_mb = peak_resident_mb(os.getpid()) * _MB_PER_MIB
    sys.stdout.buffer.write(orjson.dumps({"rows": rows, "differences": differences, "peak_mb": peak_mb}))


BENCHMARKS = (
    Benchmark(
        name="rows_parity_memory",
        about="memory at most while five million rows are compared, beside that of one million",
        run=measure_peaks,
        limit=Limit(bound=_LARGEST_RATIO, most=_LARGEST_MB),
    ),
)

if __name__ == "__main__":
    asyncio.run(_compare_once(Path(sys.argv[1]), sys.stdin.read()))
