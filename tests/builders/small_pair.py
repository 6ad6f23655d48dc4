"""Two small systems as processes, and the databases that they keep their things in."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import asyncpg

from harness.adapters.postgres import mark_disposable
from legacy_adapter.sqlite import mark_disposable_file as mark_file

ROOT = Path(__file__).resolve().parents[2]


class Servers:
    """Small systems, each a process; all end with the test."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, module: str = "tests.builders.small_server") -> str:
        argv = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._processes.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{int(process.stdout.readline())}"

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


class Databases:
    """The same two rows on both sides."""

    def __init__(self, sqlite_path: Path, dsn: str) -> None:
        self.sqlite_path = sqlite_path
        self.dsn = dsn

    def things(self) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
        with closing(sqlite3.connect(self.sqlite_path)) as database:
            legacy = database.execute("SELECT id, name FROM things ORDER BY id").fetchall()
        return legacy, [tuple(row) for row in asyncio.run(fetch(self.dsn, "SELECT id, name FROM things ORDER BY id"))]

    def mark(self) -> None:
        asyncio.run(mark_disposable(self.dsn))
        mark_file(self.sqlite_path)


async def fetch(dsn: str, sql: str) -> list[asyncpg.Record]:
    """The rows of one statement."""
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()
