"""The comparer on 4.5 MB a side, against parsing and printing both sides once, and against deepdiff."""

import copy
import random
from typing import Any

import orjson
from deepdiff import DeepDiff

from bench.measure import Benchmark, Figure, Limit, measure
from harness.domain.compare.body import compare_bodies
from harness.domain.compare.content import Content

_OBJECTS = 15_000
_CHANGES = 15
_DEEPDIFF_ROUNDS = 5


def _documents() -> dict[str, Any]:
    chance = random.Random(20260204)
    trades = [
        {
            "id": n,
            "trade_id": f"TRD-{n:06d}",
            "ticker": chance.choice(("SPY", "QQQ", "GLD", "TLT")),
            "direction": chance.choice(("BUY", "SELL")),
            "quantity": float(chance.randint(1, 500)),
            "entry_price": round(chance.uniform(5, 600), 4),
            "commission": 3.0,
            "currency": "AUD",
            "signal_score": None,
            "status": chance.choice(("OPEN", "CLOSED")),
            "notes": "x" * chance.randint(5, 50),
            "entry_date": "2026-02-04T10:11:12",
            "created_at": "2026-02-04T10:11:12",
        }
        for n in range(_OBJECTS)
    ]
    return {"trades": trades, "total": _OBJECTS}


def _shuffled(document: dict[str, Any]) -> dict[str, Any]:
    chance = random.Random(7)
    trades = []
    for trade in document["trades"]:
        names = list(trade)
        chance.shuffle(names)
        trades.append({name: trade[name] for name in names})
    return {"total": document["total"], "trades": trades}


def _changed(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for n in range(_CHANGES):
        changed["trades"][n * _OBJECTS // _CHANGES]["entry_price"] += 1
    return changed


def _inserted(document: dict[str, Any]) -> dict[str, Any]:
    trades = list(document["trades"])
    trades.insert(_OBJECTS // 2, {**trades[0], "id": _OBJECTS, "trade_id": "TRD-NEW"})
    return {**document, "trades": trades}


def _differences(legacy: bytes, target: bytes) -> int:
    return len(compare_bodies(Content(body=legacy), Content(body=target)).findings)


def _reference(legacy: bytes, target: bytes) -> None:
    for raw in (legacy, target):
        orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)


def _against_orjson(name: str, expected: int) -> Figure:
    legacy, target = _bodies(name)
    found = _differences(legacy, target)
    if found != expected:
        raise RuntimeError(f"{name}: {found} differences instead of {expected}")
    return measure(name, lambda: _differences(legacy, target), lambda: _reference(legacy, target))


def _against_deepdiff() -> Figure:
    legacy, target = _bodies("compare_4mb_changed")
    mine, theirs = orjson.loads(legacy), orjson.loads(target)
    return measure(
        "compare_4mb_vs_deepdiff",
        lambda: _differences(legacy, target),
        lambda: DeepDiff(mine, theirs),
        rounds=_DEEPDIFF_ROUNDS,
    )


def _bodies(name: str) -> tuple[bytes, bytes]:
    document = _documents()
    other = {
        "compare_4mb_equal": _shuffled,
        "compare_4mb_changed": _changed,
        "compare_4mb_inserted": _inserted,
    }[name](document)
    return orjson.dumps(document), orjson.dumps(other)


_AGAINST_ORJSON = "two bodies compared, against parsing and printing both"

BENCHMARKS = (
    Benchmark(
        name="compare_4mb_equal",
        about=f"{_AGAINST_ORJSON}: members in another order",
        run=lambda: _against_orjson("compare_4mb_equal", 0),
        limit=Limit(bound=3),
    ),
    Benchmark(
        name="compare_4mb_changed",
        about=f"{_AGAINST_ORJSON}: {_CHANGES} scattered values",
        run=lambda: _against_orjson("compare_4mb_changed", _CHANGES),
        limit=Limit(bound=3),
    ),
    Benchmark(
        name="compare_4mb_inserted",
        about=f"{_AGAINST_ORJSON}: one object in the middle",
        run=lambda: _against_orjson("compare_4mb_inserted", 1),
        limit=Limit(bound=3),
    ),
    Benchmark(
        name="compare_4mb_vs_deepdiff",
        about="the changed bodies from raw bytes, against DeepDiff of both parsed",
        run=_against_deepdiff,
        limit=Limit(bound=0.02),
    ),
)
