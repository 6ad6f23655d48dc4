"""A small service simulated on both sides, as a record: rows, clocks, tokens, ties, redirects, cookies, errors."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from harness.domain.exchange import Exchange, ExchangePair, Headers, Request, Response, Side
from harness.domain.record import Origin, RowChange, SessionRecord, StepRecord
from harness.domain.rows import Cell, Column, TableSchema

BASES = {Side.LEGACY: "http://127.0.0.1:18001", Side.TARGET: "http://127.0.0.1:19002"}
COLUMNS = (
    ("id", "INTEGER"),
    ("code", "VARCHAR(50)"),
    ("ticker", "VARCHAR(20)"),
    ("quantity", "FLOAT"),
    ("price", "FLOAT"),
    ("status", "VARCHAR(9)"),
    ("notes", "TEXT"),
    ("entry_date", "DATETIME"),
    ("created_at", "DATETIME"),
    ("updated_at", "DATETIME"),
)
SCHEMA = TableSchema(
    name="trades",
    columns=tuple(Column(name=name, declared_type=kind, is_nullable=name != "id") for name, kind in COLUMNS),
    key=("id",),
)
Answer = tuple[int, Any, Headers]


@dataclass
class Service:
    """One side: the target's ids start elsewhere, and its ties come in another order."""

    side: Side
    now: datetime
    chance: random.Random
    next_id: int
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    changes: list[RowChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        for n in range(1, 9):
            self.rows[n] = {
                "id": n,
                "code": f"S-{n}",
                "ticker": ("SPY", "QQQ", "GLD")[n % 3],
                "quantity": 10.0,
                "price": 100.0 + n / 7,
                "status": "CLOSED" if n % 2 else "OPEN",
                "notes": "café" if n == 3 else None,
                "entry_date": f"2024-01-{(n // 3) + 1:02d}T10:30:00",
                "created_at": "2025-03-04T05:06:07",
                "updated_at": "2025-03-04T05:06:07",
            }

    def second(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S")

    def micro(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.%f")

    def cells(self, row: dict[str, Any]) -> tuple[Cell, ...]:
        """SQLite keeps moments as text, PostgreSQL as moments."""

        def cell(name: str, value: Any) -> Cell:
            if value is None or not (name.endswith("_at") or name.endswith("_date")):
                return value
            return value.replace("T", " ") if self.side is Side.LEGACY else datetime.fromisoformat(value)

        return tuple(cell(name, row[name]) for name, _ in COLUMNS)

    def create(self, body: dict[str, Any]) -> Answer:
        row = {"notes": None, **body, "id": self.next_id, "status": "OPEN"}
        row |= {"created_at": self.second(), "updated_at": self.second()}
        self.next_id += 1
        self.rows[row["id"]] = {name: row[name] for name, _ in COLUMNS}
        self._changed(row["id"], None)
        return 201, self.rows[row["id"]], ()

    def patch(self, key: int, **changes: Any) -> Answer:
        before = self.rows[key]
        self.rows[key] = {**before, **changes, "updated_at": self.second()}
        self._changed(key, before)
        return 200, self.rows[key], ()

    def delete(self, key: int) -> Answer:
        before = self.rows.pop(key)
        self._changed(key, before)
        return 204, None, ()

    def list(self, page: int, size: int) -> Answer:
        tie = 1 if self.side is Side.LEGACY else -1
        ordered = sorted(self.rows.values(), key=lambda row: (row["entry_date"], tie * row["id"]))
        chosen = ordered[(page - 1) * size : page * size]
        return 200, {"trades": chosen, "total": len(ordered), "page": page, "pages": -(-len(ordered) // size)}, ()

    def _changed(self, key: int, before: dict[str, Any] | None) -> None:
        after = self.rows.get(key)
        self.changes.append(
            RowChange(
                table="trades",
                key=(key,),
                before=None if before is None else self.cells(before),
                after=None if after is None else self.cells(after),
            )
        )


Step = tuple[str, str, str, Callable[[Service], Answer], dict[str, Any]]


def script(new: Callable[[Service], int]) -> list[Step]:
    """The session: name, method and url, operation, what the service does, and what the pair says."""
    body = {"code": "N-1", "ticker": "GLD", "quantity": 10.0, "price": 450.5, "entry_date": "2024-03-04T10:30:00"}
    another = {**body, "code": "N-2", "notes": "second", "price": 11.25}
    hexes = "0123456789abcdef"

    def token(service: Service, size: int) -> str:
        return "".join(service.chance.choice(hexes) for _ in range(size))

    def failure(service: Service) -> Answer:
        base = BASES[service.side]
        detail = {"error": "oops", "detail": "text", "request_id": token(service, 8), "path": f"{base}/api/trades/x"}
        return 500, detail, ()

    def started(service: Service) -> Answer:
        moment = service.now.strftime("%Y%m%d_%H%M%S")
        parts = [token(service, size) for size in (8, 4, 3, 3, 12)]
        run = f"{parts[0]}-{parts[1]}-4{parts[2]}-a{parts[3]}-{parts[4]}"
        return 200, {"job_id": f"Dual_Momentum_{moment}", "run_id": run, "state": "started", "errors": []}, ()

    metrics = {
        "total": 8,
        "win_rate": 62.5,
        "average": 3.2741398446170926,
        "best": 0.0,
        "ratio": None,
        "has_open": True,
    }
    assets = [
        {"key": name, "name": name.title(), "count": n + 2, "rank": n * 1.5}
        for n, name in enumerate(("US", "AU", "EU", "JP", "UK"))
    ]
    origin: Headers = (("Vary", "Origin"), ("Access-Control-Allow-Origin", "http://localhost:3000"))
    invalid = {"detail": [{"type": "missing", "loc": ["body", "code"], "msg": "Field required", "input": {}}]}
    cookie: Headers = (("Set-Cookie", "mode=dark; Path=/; HttpOnly"), ("Set-Cookie", "lang=en; Path=/"))
    return [
        (
            "health",
            "GET /health",
            "GET /health",
            lambda s: (200, {"status": "ok", "timestamp": s.micro(), "zoned": f"{s.micro()}Z"}, origin),
            {},
        ),
        ("create", "POST /api/trades/", "POST /api/trades/", lambda s: s.create(body), {"body": body}),
        ("again", "POST /api/trades/", "POST /api/trades/", lambda s: s.create(another), {"body": another}),
        ("read", "GET /api/trades/{new}", "GET /api/trades/{id}", lambda s: (200, s.rows[new(s)], ()), {}),
        ("page 1", "GET /api/trades/?page=1", "GET /api/trades/", lambda s: s.list(1, 5), {"tie": ("entry_date",)}),
        ("page 2", "GET /api/trades/?page=2", "GET /api/trades/", lambda s: s.list(2, 5), {"tie": ("entry_date",)}),
        ("note", "PATCH /api/trades/{new}", "PATCH /api/trades/{id}", lambda s: s.patch(new(s), notes="changed"), {}),
        (
            "close",
            "PATCH /api/trades/3",
            "PATCH /api/trades/{id}",
            lambda s: s.patch(3, status="CLOSED", price=7.5),
            {},
        ),
        (
            "metrics",
            "GET /api/metrics",
            "GET /api/metrics",
            lambda s: (200, {**metrics, "last_updated": s.micro()}, ()),
            {},
        ),
        ("assets", "GET /api/assets", "GET /api/assets", lambda s: (200, {"assets": assets, "count": 5}, ()), {}),
        ("next id", "GET /api/id", "GET /api/id", lambda s: (200, {"code": f"TRD-{s.now:%Y%m%d}-0011"}, ()), {}),
        ("invalid", "POST /api/trades/", "POST /api/trades/", lambda s: (422, invalid, ()), {"body": {}}),
        ("unknown", "GET /api/trades/999", "GET /api/trades/{id}", lambda s: (404, {"detail": "not found"}, ()), {}),
        (
            "slash",
            "GET /api/trades",
            "GET /api/trades",
            lambda s: (307, None, (("Location", f"{BASES[s.side]}/api/trades/"),)),
            {},
        ),
        ("failure", "GET /api/trades/x", "GET /api/trades/{id}", failure, {}),
        ("run", "POST /api/run", "POST /api/run", started, {"body": {"name": "Dual_Momentum"}}),
        ("cookies", "GET /api/mode", "GET /api/mode", lambda s: (200, {"mode": "dark"}, cookie), {}),
        ("text", "GET /text", "GET /text", lambda s: (200, "plain text", ()), {}),
        ("delete", "DELETE /api/trades/{new}", "DELETE /api/trades/{id}", lambda s: s.delete(new(s)), {}),
        ("reread", "GET /api/trades/{two}", "GET /api/trades/{id}", lambda s: (200, s.rows[new(s) + 1], ()), {}),
    ]


def build_record(start: datetime, seed: int = 0, *, target_first_id: int = 12) -> SessionRecord:
    """A clean session recorded twice: everything that differs is noise, identity or open order."""
    first = _replay(start, random.Random(seed), target_first_id)
    again = _replay(start + timedelta(seconds=7.3), random.Random(seed + 1000), target_first_id)
    repeat = tuple(StepRecord(pair=step.pair) for step in again)
    schemas = {"trades": SCHEMA}
    return SessionRecord(
        session_id="world",
        group="trades",
        origin=Origin.WRITTEN,
        legacy_schemas=schemas,
        target_schemas=schemas,
        steps=first,
        repeat=repeat,
        compares_state=True,
    )


def _replay(start: datetime, chance: random.Random, target_first_id: int) -> tuple[StepRecord, ...]:
    first_ids = {Side.LEGACY: 9, Side.TARGET: target_first_id}
    services = {
        side: Service(side=side, now=start, chance=random.Random(chance.random()), next_id=first)
        for side, first in first_ids.items()
    }
    steps = []
    now = start
    for n, step in enumerate(script(lambda service: first_ids[service.side])):
        exchanges, changes = {}, {}
        for side, service in services.items():
            exchanges[side] = _exchange(service, step, now, chance, first_ids[side])
            changes[side], service.changes = tuple(service.changes), []
        pair = ExchangePair(
            session_id="world",
            group="trades",
            step=n,
            name=step[0],
            operation=step[2],
            legacy=exchanges[Side.LEGACY],
            target=exchanges[Side.TARGET],
            tie=step[4].get("tie", ()),
        )
        steps.append(StepRecord(pair=pair, legacy_changes=changes[Side.LEGACY], target_changes=changes[Side.TARGET]))
        now += timedelta(milliseconds=chance.uniform(40, 600))
    return tuple(steps)


def _exchange(service: Service, step: Step, sent_at: datetime, chance: random.Random, new: int) -> Exchange:
    method, url = step[1].replace("{new}", str(new)).replace("{two}", str(new + 1)).split(" ")
    duration_ms = chance.uniform(2, 30)
    service.now = sent_at + timedelta(milliseconds=duration_ms * chance.uniform(0.1, 0.9))
    status, body, headers = step[3](service)
    raw = body.encode() if isinstance(body, str) else b"" if body is None else orjson.dumps(body)
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    date = service.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    sent = step[4].get("body")
    return Exchange(
        side=service.side,
        base_url=BASES[service.side],
        request=Request(
            method=method,
            url=url,
            headers=(("content-type", "application/json"),) if sent is not None else (),
            body=None if sent is None else orjson.dumps(sent),
        ),
        response=Response(
            status=status,
            headers=(
                ("date", date),
                ("server", str(service.side)),
                ("Content-Type", kind),
                ("Content-Length", str(len(raw))),
                *headers,
            ),
            body=raw,
        ),
        sent_at=sent_at,
        duration_ms=duration_ms,
    )


NOON = datetime(2026, 2, 4, 12, 0, 0, 250_000, tzinfo=UTC)
