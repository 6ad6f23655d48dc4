"""A stored run of any length, the same on every machine: what `recompare` judges.

Of every 20 steps 14 are answered byte for byte alike, 2 with members in another order, 3 with a clock of each side's
own, and 1 with a value that differs. Headers are those of a plain server and of a gateway.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from harness.adapters.evidence_store import open_run
from harness.domain.difference import Outcome
from harness.domain.evidence import RunManifest
from harness.domain.exchange import Exchange, ExchangePair, Headers, Request, Response, Side
from harness.domain.record import Origin, SessionRecord, StepRecord

STEPS = 20
MAX_BODY_BYTES = 1024
_CLOCK_STEPS = frozenset({3, 9, 15})
_REORDERED_STEPS = frozenset({6, 12})
_CHANGED_STEP = 18
_START = datetime(2026, 2, 4, 9, 0, tzinfo=UTC)
_PASS_GAP = timedelta(seconds=2)
_STEP_GAP = timedelta(milliseconds=20)
_ADDRESSES = {Side.LEGACY: "http://127.0.0.1:8000", Side.TARGET: "http://127.0.0.1:9000"}
_SENT = (("Accept", "application/json"), ("Authorization", "Bearer [redacted:0123456789abcdef]"))


def expected_outcomes(sessions: int) -> dict[Outcome, int]:
    """What judging `store_run(…, sessions)` must find."""
    changed = {Outcome.EQUIVALENT: len(_REORDERED_STEPS), Outcome.NOISY: len(_CLOCK_STEPS), Outcome.DIFFERENT: 1}
    steps = {Outcome.IDENTICAL: STEPS - sum(changed.values()), **changed}
    return {outcome: count * sessions for outcome, count in steps.items()}


def store_run(directory: Path, sessions: int) -> int:
    """Stores as many sessions; returns the number of exchanges, counted per step, side and pass."""
    manifest = RunManifest(run_id="bench", environment="local", profile="replay", commit="", started_at=_START)
    store = open_run(directory, manifest)
    try:
        for number in range(sessions):
            store.append_session(_session(number))
        store.finish(_START + timedelta(hours=1))
    finally:
        store.close()
    return sessions * STEPS * 4


def _session(number: int) -> SessionRecord:
    started = _START + timedelta(seconds=4 * number)
    return SessionRecord(
        session_id=f"session-{number:05d}",
        group="trades",
        origin=Origin.WRITTEN,
        legacy_schemas={},
        target_schemas={},
        steps=tuple(_steps(number, started)),
        repeat=tuple(_steps(number, started + _PASS_GAP)),
        sources=("bench.json",),
    )


def _steps(number: int, started: datetime) -> Iterator[StepRecord]:
    for n in range(1, STEPS + 1):
        sent_at = started + n * _STEP_GAP
        document = _document(random.Random(number * STEPS + n), n)
        pair = ExchangePair(
            session_id=f"session-{number:05d}",
            group="trades",
            step=n,
            name=f"read {n}",
            operation="GET /api/trades/",
            legacy=_exchange(Side.LEGACY, n, sent_at, document),
            target=_exchange(Side.TARGET, n, sent_at + timedelta(milliseconds=1), _of_target(document, n)),
        )
        yield StepRecord(pair=pair)


def _document(chance: random.Random, n: int) -> dict[str, Any]:
    trades = [
        {
            "id": 10 * n + k,
            "trade_id": f"TRD-{chance.getrandbits(32):08X}",
            "ticker": chance.choice(("SPY", "QQQ", "GLD", "TLT")),
            "direction": chance.choice(("BUY", "SELL")),
            "quantity": float(chance.randint(1, 500)),
            "entry_price": round(chance.uniform(5, 600), 4),
            "currency": "AUD",
            "signal_score": None,
            "status": "OPEN",
            "notes": "x" * chance.randint(5, 30),
        }
        for k in range(4)
    ]
    return {"trades": trades, "total": len(trades)}


def _of_target(document: dict[str, Any], n: int) -> dict[str, Any]:
    if n in _REORDERED_STEPS:
        return {"total": document["total"], "trades": document["trades"]}
    if n == _CHANGED_STEP:
        first, *others = document["trades"]
        return {**document, "trades": [{**first, "entry_price": first["entry_price"] + 1}, *others]}
    return document


def _exchange(side: Side, n: int, sent_at: datetime, document: dict[str, Any]) -> Exchange:
    if n in _CLOCK_STEPS:
        answered = sent_at + timedelta(milliseconds=1, microseconds=n)
        document = {**document, "generated_at": answered.replace(tzinfo=None).isoformat()}
    body = orjson.dumps(document)
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a body of {len(body)} bytes")
    return Exchange(
        side=side,
        base_url=_ADDRESSES[side],
        request=Request(method="GET", url=f"/api/trades/?page={n}&page_size=4", headers=_SENT),
        response=Response(status=200, headers=_headers(side, sent_at, body), body=body),
        sent_at=sent_at,
        duration_ms=4.25,
    )


def _headers(side: Side, sent_at: datetime, body: bytes) -> Headers:
    date, length = sent_at.strftime("%a, %d %b %Y %H:%M:%S GMT"), str(len(body))
    if side is Side.LEGACY:
        return (("date", date), ("server", "uvicorn"), ("content-length", length), ("content-type", "application/json"))
    request_id = f"{int(sent_at.timestamp() * 1000):x}"
    return (
        ("Content-Type", "application/json"),
        ("Content-Length", length),
        ("Apigw-Requestid", request_id),
        ("Date", date),
        ("Connection", "keep-alive"),
    )
