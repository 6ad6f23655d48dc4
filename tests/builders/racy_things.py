"""Things in memory behind a `SideClient`, with the scenario that tests them, and one concurrency defect on request."""

import asyncio
import json
import random
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.isolation.scenario import IsolationScenario, parse_scenario

DEFECTS = ("lost update", "double seal", "write skew", "phantom page", "stale read", "dirty read", "double delete")


def _operation(name: str, kind: str, method: str, url: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "method": method, "url": url, **more}


SCENARIO: dict[str, Any] = {
    "format_version": 1,
    "row": {"id": "/id", "key": "/key", "fields": ["label", "price", "state"]},
    "operation": [
        _operation(
            "create",
            "create",
            "POST",
            "/things",
            body='{"key":"{{key}}","group":"{{group}}","label":"{{value}}"}',
            weight=2,
            succeeds=201,
            refused={"taken": 409},
            writes={"label": "{{value}}", "state": "open"},
        ),
        _operation(
            "rename",
            "update",
            "PATCH",
            "/things/{{id}}",
            body='{"label":"{{value}}"}',
            weight=3,
            refused={"absent": 404},
            writes={"label": "{{value}}"},
        ),
        _operation(
            "reprice",
            "update",
            "PATCH",
            "/things/{{id}}",
            body='{"price":{{value}}}',
            weight=3,
            refused={"absent": 404},
            writes={"price": {"plus": 0}},
        ),
        _operation(
            "seal",
            "transition",
            "POST",
            "/things/{{id}}/seal?price={{value}}",
            weight=3,
            refused={"absent": 404, "guard": 409},
            guard={"state": "open"},
            writes={"state": "sealed", "price": {"plus": 0}},
        ),
        _operation(
            "delete", "delete", "DELETE", "/things/{{id}}", succeeds=204, rows_answered=False, refused={"absent": 404}
        ),
        _operation("read", "read", "GET", "/things/{{id}}", weight=3, refused={"absent": 404}),
        _operation(
            "list",
            "list",
            "GET",
            "/things?group={{group}}&page={{page}}&size={{size}}",
            weight=3,
            page={"rows": "/things", "total": "/total", "sizes": [2, 50], "pages": [1, 2]},
        ),
        _operation(
            "reopen",
            "update",
            "PATCH",
            "/things/{{id}}",
            body='{"state":"open"}',
            weight=2,
            refused={"absent": 404},
            writes={"state": "open"},
        ),
    ],
}


def things_scenario() -> IsolationScenario:
    """The scenario of the things."""
    return parse_scenario(SCENARIO, where="things")


class RacyThings:
    """Answers like a server that may change between any two of its steps; without a defect it keeps every law."""

    def __init__(self, defect: str = "", seed: int = 1, failing_share: float = 0.0, pause_s: float = 0.0) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self._defect = defect
        self._chooser = random.Random(seed)
        self._failing_share = failing_share
        self._pause_s = pause_s
        self._last_id = 0
        self._replica: dict[int, dict[str, Any]] = {}
        self._reads = 0

    async def send(self, request: Request) -> Exchange:
        """Serves one request; where it fails, nobody knows whether before or after its work."""
        await self._pause()
        fails = self._chooser.random() < self._failing_share
        is_early = self._chooser.random() < 0.5
        status, body = (500, None) if fails and is_early else await self._serve(request)
        await self._pause()
        content = b"" if body is None else json.dumps(body).encode()
        return Exchange(
            side=Side.TARGET,
            base_url="memory",
            request=request,
            response=Response(status=500 if fails else status, headers=(), body=content),
            sent_at=datetime.now(UTC),
            duration_ms=0.0,
        )

    async def close(self) -> None:
        """Nothing is open."""

    async def _serve(self, request: Request) -> tuple[int, Any]:
        address = urlsplit(request.url)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        parts = address.path.strip("/").split("/")
        body = json.loads(request.body) if request.body else {}
        if len(parts) == 1:
            return await (self._create(body) if request.method == "POST" else self._list(query))
        serve = {"PATCH": self._update, "POST": self._seal, "DELETE": self._delete, "GET": self._read}[request.method]
        return await serve(int(parts[1]), query | body)

    async def _create(self, body: dict[str, Any]) -> tuple[int, Any]:
        if any(row["key"] == body["key"] for row in self.rows.values()):
            return 409, {}
        await self._pause("write skew")
        self._last_id += 1
        self.rows[self._last_id] = {"price": None, **body, "id": self._last_id, "state": "open"}
        return 201, dict(self.rows[self._last_id])

    async def _update(self, row_id: int, changes: dict[str, Any]) -> tuple[int, Any]:
        if row_id not in self.rows:
            return 404, {}
        before = dict(self.rows[row_id])
        await self._pause("lost update")
        if row_id in self.rows:
            self.rows[row_id] = before | changes
        return 200, before | changes

    async def _seal(self, row_id: int, query: dict[str, Any]) -> tuple[int, Any]:
        if row_id not in self.rows:
            return 404, {}
        row = self.rows[row_id]
        if row["state"] != "open":
            if self._defect == "dirty read":
                before, row["price"] = row["price"], float(query["price"])
                await self._pause("dirty read")
                row["price"] = before
            return 409, {}
        await self._pause("double seal")
        row |= {"state": "sealed", "price": float(query["price"])}
        return 200, dict(row)

    async def _delete(self, row_id: int, _: dict[str, Any]) -> tuple[int, Any]:
        if row_id not in self.rows:
            return 404, {}
        await self._pause("double delete")
        self.rows.pop(row_id, None)
        return 204, None

    async def _read(self, row_id: int, _: dict[str, Any]) -> tuple[int, Any]:
        self._reads += 1
        if self._defect == "stale read" and self._reads % 4 and row_id in self._replica:
            return 200, self._replica[row_id]
        self._replica = {key: dict(row) for key, row in self.rows.items()}
        return (200, self._replica[row_id]) if row_id in self.rows else (404, {})

    async def _list(self, query: dict[str, Any]) -> tuple[int, Any]:
        total = len(self._of_group(query["group"]))
        await self._pause("phantom page")
        rows = self._of_group(query["group"])
        size, first = int(query["size"]), (int(query["page"]) - 1) * int(query["size"])
        return 200, {"things": [dict(row) for row in rows[first : first + size]], "total": total}

    def _of_group(self, group: str) -> list[dict[str, Any]]:
        return sorted((row for row in self.rows.values() if row["group"] == group), key=lambda row: str(row["key"]))

    async def _pause(self, defect: str | None = None) -> None:
        """Lets others run; inside the work of one request only where that is the defect."""
        for _ in range(self._chooser.randrange(4) if defect in {None, self._defect} else 0):
            await asyncio.sleep(self._pause_s)


def scenario_toml() -> str:
    """The scenario as a file has it."""
    whole = {name: value for name, value in SCENARIO.items() if name != "operation"}
    lines = [f"{name} = {_toml(value)}" for name, value in whole.items()]
    for operation in SCENARIO["operation"]:
        lines += ["[[operation]]", *(f"{name} = {_toml(value)}" for name, value in operation.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value)


async def serve(defect: str) -> None:
    """Serves the things on a free port of loopback, which it prints, until it is killed."""
    things = RacyThings(defect, pause_s=0.002)

    async def answer(request: web.Request) -> web.Response:
        sent = Request(method=request.method, url=request.path_qs, body=await request.read())
        response = (await things.send(sent)).response
        assert response is not None
        return web.Response(status=response.status, body=response.body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1] if len(sys.argv) > 1 else ""))
