"""A small system under test, run as a process: things in SQLite or PostgreSQL, with a defect on request.

    python -m tests.builders.small_server --sqlite FILE | --dsn DSN | --memory [--defect NAME]

Prints its port once it answers. Both kinds behave alike: POST /things, GET /things, GET and DELETE /things/{id},
GET /whoami, GET /time, GET /fails (an uncaught error).
"""

import argparse
import asyncio
import base64
import json
import os
import sqlite3
from datetime import UTC, datetime
from typing import Any, Protocol

import asyncpg
from aiohttp import web


class Things(Protocol):
    """Where things are kept."""

    async def fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement with `$n` parameters and commits."""


class SqliteThings:
    """In a file, or in memory."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        if path == ":memory:":
            self._database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)")

    async def fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """As promised."""
        for number in range(1, len(values) + 1):
            sql = sql.replace(f"${number}", f"?{number}")
        return self._database.execute(sql, values).fetchall()


class PostgresThings:
    """In a database."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None

    async def fetch(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """As promised."""
        if self._connection is None:
            self._connection = await asyncpg.connect(self._dsn)
        return [tuple(row) for row in await self._connection.fetch(sql, *values)]


class App:
    """The routes."""

    def __init__(self, things: Things, defect: str) -> None:
        self._things = things
        self._defect = defect

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.post("/things", self.create),
            web.get("/things", self.list),
            web.get("/things/{id}", self.read),
            web.delete("/things/{id}", self.delete),
            web.get("/whoami", self.whoami),
            web.get("/time", self.time),
            web.get("/fails", self.fails),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Creates one."""
        name = (await request.json())["name"]
        if self._defect == "lost-write":
            return web.json_response({"id": 1, "name": name}, status=201)
        ((identifier,),) = await self._things.fetch("INSERT INTO things (name) VALUES ($1) RETURNING id", name)
        return web.json_response({"id": identifier, "name": name}, status=201)

    async def list(self, _: web.Request) -> web.Response:
        """All of them."""
        rows = await self._things.fetch("SELECT id, name FROM things ORDER BY id")
        return web.json_response([{"id": key, "name": name} for key, name in rows])

    async def read(self, request: web.Request) -> web.Response:
        """One of them."""
        key = int(request.match_info["id"])
        rows = await self._things.fetch("SELECT id, name FROM things WHERE id = $1", key)
        if not rows:
            return web.json_response({"detail": "Not Found"}, status=404)
        name = rows[0][1].upper() if self._defect == "upper" else rows[0][1]
        return web.json_response({"id": rows[0][0], "name": name})

    async def delete(self, request: web.Request) -> web.Response:
        """No longer."""
        await self._things.fetch("DELETE FROM things WHERE id = $1", int(request.match_info["id"]))
        return web.Response(status=204)

    async def whoami(self, request: web.Request) -> web.Response:
        """The subject of the token."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        claims = base64.urlsafe_b64decode(token.split(".")[1] + "==") if token.count(".") == 2 else b"{}"
        return web.json_response({"sub": json.loads(claims).get("sub"), "has_token": bool(token)})

    async def time(self, _: web.Request) -> web.Response:
        """A clock, in UTC."""
        if self._defect == "dies":
            os._exit(1)
        return web.json_response({"now": datetime.now(UTC).isoformat()})

    async def fails(self, request: web.Request) -> web.StreamResponse:
        """Hangs up."""
        if request.transport is not None:
            request.transport.close()
        return web.Response()


async def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sqlite")
    parser.add_argument("--dsn")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--defect", default="")
    options = parser.parse_args()
    things: Things = PostgresThings(options.dsn) if options.dsn else SqliteThings(options.sqlite or ":memory:")
    app = web.Application()
    app.add_routes(App(things, options.defect).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
