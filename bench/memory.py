"""The most memory that comparing two bodies of 50 MB takes, beside the size of the bodies.

`python -m bench.memory` is the child process in which it is measured: it compares once and prints what was resident at
most, in MB, less what was resident before the bodies were made.
"""

import random
import resource
import subprocess
import sys

import orjson

from bench.measure import Benchmark, Figure, Limit, figure
from harness.domain.compare.body import compare_bodies
from harness.domain.compare.content import Content

_MB = 1_000_000
_BODY_BYTES = 50 * _MB
_CHANGES = 15
_TIMEOUT_S = 120
_LARGEST_RATIO = 10


def _run() -> Figure:
    command = [sys.executable, "-m", "bench.memory"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
    found = orjson.loads(done.stdout)
    if found["differences"] != _CHANGES:
        raise RuntimeError(f"memory_50mb: {found['differences']} differences instead of {_CHANGES}")
    return figure("memory_50mb", found["peak_mb"], found["bodies_mb"], unit="MB")


def _compare_once() -> None:
    before = _peak_mb()
    legacy, target = _bodies()
    findings = compare_bodies(Content(body=legacy), Content(body=target)).findings
    bodies_mb = (len(legacy) + len(target)) / _MB
    report = {"peak_mb": _peak_mb() - before, "bodies_mb": bodies_mb, "differences": len(findings)}
    sys.stdout.buffer.write(orjson.dumps(report))


def _bodies() -> tuple[bytes, bytes]:
    """Both bodies, made in pieces, so that making them needs no more than comparing them."""
    legacy, target = bytearray(b"["), bytearray(b"[")
    chance = random.Random(20260204)
    n = 0
    while len(legacy) < _BODY_BYTES:
        price = round(chance.uniform(5, 600), 4)
        changed = price + 1 if n % 13_000 == 0 and n // 13_000 < _CHANGES else price
        legacy += orjson.dumps(_trade(n, price)) + b","
        target += orjson.dumps(_trade(n, changed)) + b","
        n += 1
    legacy[-1:] = target[-1:] = b"]"
    return bytes(legacy), bytes(target)


def _trade(n: int, price: float) -> dict[str, object]:
    return {
        "id": n,
        "trade_id": f"TRD-{n:07d}",
        "ticker": ("SPY", "QQQ", "GLD", "TLT")[n % 4],
        "direction": "BUY",
        "quantity": float(n % 500),
        "entry_price": price,
        "currency": "AUD",
        "signal_score": None,
        "status": "OPEN",
        "notes": "x" * (n % 45),
        "entry_date": "2026-02-04T10:11:12",
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MB


BENCHMARKS = (
    Benchmark(
        name="memory_50mb",
        about="memory at most while comparing two bodies of 50 MB with 15 changes, beside the size of both bodies",
        run=_run,
        limit=Limit(bound=_LARGEST_RATIO),
    ),
)

if __name__ == "__main__":
    _compare_once()
