"""The reference application, served for tests, with its files at hand."""

import asyncio
import http.client
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.adapters.tokens import authorization_header
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.seed import write_seed_database

IS_INSTALLED = (Path(__file__).resolve().parents[2] / ".venv-legacy" / "bin" / "python").exists()
NOT_INSTALLED = "the reference application's environment is absent: run `make install`"
_SECRET = "the-secret-of-these-tests-which-is-long-enough"
_NOWHERE = "http://127.0.0.1:1"
TRADE = {
    "trade_id": "Q-1",
    "ticker": "SPY",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 450.5,
    "entry_date": "2024-01-15T10:30:00",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def detail(self) -> Any:
        return self.json["detail"]


class App:
    """The running application and its files."""

    def __init__(self, system: EmbeddedSystem, root: Path) -> None:
        self.system = system
        self.root = root
        self._seed = root / "seed.db"

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        parts = urlsplit(self.system.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and "content-type" not in given:
            given["content-type"] = "application/json"
        try:
            connection.request(method, url, body, given)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode())
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Answer:
        return self.send("GET", url, **headers)

    def create(self, **changes: Any) -> Answer:
        return self.send("POST", "/api/trades/", TRADE | changes)

    def write(self, name: str, content: Any) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")

    def sql(self, statement: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self.system.database_path, timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def reset(self) -> None:
        """The seed's rows and no files."""
        source = sqlite3.connect(self._seed)
        target = sqlite3.connect(self.system.database_path, timeout=10)
        source.backup(target)
        source.close()
        target.close()
        for folder in ("reports", "dashboard", "cache"):
            for path in sorted((self.root / folder).rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()

    @property
    def token(self) -> str:
        return authorization_header("valid", _SECRET, datetime.now(UTC))


@contextmanager
def serve_legacy(root: Path) -> Iterator[App]:
    """The application on the seed of 100 trades, without a market data source, all its files below `root`."""
    write_seed_database(root / "seed.db")
    system = EmbeddedSystem(
        EmbeddedSettings(
            app_root=root,
            jwt_secret=_SECRET,
            yahoo_base_url=_NOWHERE,
            tiingo_base_url=_NOWHERE,
            environment={"SPX500_LIST_URL": _NOWHERE},
        )
    )
    app = App(system, root)
    app.system.database_path.parent.mkdir(parents=True)
    app.reset()
    asyncio.run(system.start())
    try:
        yield app
    finally:
        asyncio.run(system.stop())
