"""Two small systems in memory for tests of the engine: a client and a database each, sharing nothing."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.rows import Column, DatabaseState, TableRows, TableSchema

SCHEMA = TableSchema(
    name="things",
    columns=(
        Column(name="id", declared_type="INTEGER", is_nullable=False),
        Column(name="name", declared_type="TEXT", is_nullable=True),
    ),
    key=("id",),
)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Time that passes only when somebody sleeps or asks."""

    now_s: float = 0.0
    slept: list[float] = field(default_factory=list)
    tick_s: float = 0.01

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def monotonic(self) -> float:
        self.now_s += self.tick_s
        return self.now_s

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now_s)


@dataclass(slots=True)
class World:
    """A system that stores things: POST / creates, GET /<id> reads, DELETE /<id> deletes, GET /time tells the time."""

    side: Side
    clock: Clock = field(default_factory=Clock)
    rows: dict[int, str] = field(default_factory=dict)
    next_id: int = 1
    is_disposable: bool = True
    requests: list[Request] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    captured: tuple[dict[int, str], int] | None = None
    down_after: int | None = None
    late: list[Callable[[], None]] = field(default_factory=list)
    """Writes that happen on the next read but one, as a commit after the answer does."""
    commits_late: bool = False
    answers: dict[str, list[object]] = field(default_factory=dict)
    document: object = None
    delays: list[int] = field(default_factory=list)
    """Turns of the event loop that requests take, over and over."""
    at_once: int = 0
    most_at_once: int = 0

    async def send(self, request: Request) -> Exchange:
        """Answers as `World` says, or breaks once `down_after` requests were taken."""
        self.requests.append(request)
        await self._take_time()
        response, error = None, None
        if self.down_after is not None and len(self.requests) > self.down_after:
            error = "connection refused"
        else:
            status, body = self._answer(request)
            response = Response(
                status=status, headers=(("content-type", "application/json"),), body=json.dumps(body).encode()
            )
        return Exchange(
            side=self.side, base_url=f"http://{self.side}", request=request, response=response,
            transport_error=error, sent_at=self.clock.utc(), duration_ms=1.0,
        )  # fmt: skip

    async def _take_time(self) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(self.delays[len(self.requests) % len(self.delays)] if self.delays else 0):
            await asyncio.sleep(0)
        self.at_once -= 1

    def _answer(self, request: Request) -> tuple[int, object]:  # noqa: PLR0911 - a router
        path = request.url.split("?")[0]
        if path in self.answers:
            queue = self.answers[path]
            return 200, queue.pop(0) if len(queue) > 1 else queue[0]
        if path == "/openapi.json":
            return (200, self.document) if self.document else (404, {})
        if path == "/time":
            return 200, {"now": self.clock.utc().isoformat()}
        if request.method == "POST":
            return self._create(json.loads(request.body or b"{}"))
        identifier = int(path.rsplit("/", 1)[1])
        if identifier not in self.rows:
            return 404, {"detail": "Not Found"}
        if request.method == "DELETE":
            return 200, {"deleted": self.rows.pop(identifier)}
        return 200, {"id": identifier, "name": self.rows[identifier]}

    def _create(self, body: dict[str, str]) -> tuple[int, object]:
        identifier, self.next_id = self.next_id, self.next_id + 1

        def write() -> None:
            self.rows[identifier] = body["name"]

        if self.commits_late:
            self.late.append(write)
        else:
            write()
        return 201, {"id": identifier, "name": body["name"]}

    async def require_disposable(self) -> None:
        """As a StateStore."""
        self.log.append("require")
        if not self.is_disposable:
            raise ConfigurationError("not marked", where=str(self.side))

    async def capture(self) -> None:
        """As a StateStore."""
        self.log.append("capture")
        self.captured = (dict(self.rows), self.next_id)

    async def restore(self) -> None:
        """As a StateStore."""
        assert self.captured is not None, "restored before captured"
        self.log.append("restore")
        self.rows, self.next_id = dict(self.captured[0]), self.captured[1]

    async def read(self) -> DatabaseState:
        """As a StateStore."""
        state = {"things": TableRows(schema=SCHEMA, rows=tuple(sorted(self.rows.items())))}
        while self.late:
            self.late.pop()()
        return state

    async def close(self) -> None:
        """Nothing to close."""
