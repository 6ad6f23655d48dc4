"""The target behind PgBouncer in transaction mode: many clients, few backends, nothing left on them."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from sqlalchemy import text
from target_support import client_of, settings_for

from harness.staging.pooler import LocalPooler, find_pooler
from target.app import create_app
from target.database.sync import SyncDatabase

POOL_SIZE = 2
CLIENTS = 3 * POOL_SIZE
ROUNDS = 5
GOOD = {
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.5,
    "entry_date": "2024-03-04T10:30:00",
}
StartPooler = Callable[..., Awaitable[LocalPooler]]

pytestmark = pytest.mark.skipif(find_pooler() is None, reason="PgBouncer is not installed (apt-get install pgbouncer)")


@pytest.fixture
async def start_pooler(postgres_url: str) -> AsyncIterator[StartPooler]:
    """Starts poolers in front of a migrated, empty database."""
    # Not below tmp_path: it runs as another user and would open up every parent folder.
    directory = Path(tempfile.mkdtemp(prefix="parakeet-pooler-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, directory)

        async def start(*, speaks_tls: bool = False) -> LocalPooler:
            settings = _tls_settings(directory) if speaks_tls else None
            pooler = LocalPooler(postgres_url, directory, pool_size=POOL_SIZE, settings=settings)
            stack.push_async_callback(pooler.stop)
            await pooler.start()
            return pooler

        yield start


@asynccontextmanager
async def environments(dsn: str, count: int) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of so many execution environments, each with a connection of its own."""
    apps = [_environment(dsn) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for app in apps:
            stack.push_async_callback(app.state.database.dispose)
        yield [await stack.enter_async_context(client_of(app)) for app in apps]


def _environment(dsn: str) -> FastAPI:
    return create_app(settings_for(dsn, database_pooler=True, is_lambda=True, aws_secrets_manager_name=""))


async def trade(client: httpx.AsyncClient, name: str) -> list[int]:
    """One trade's whole life; the statuses in order."""
    created = await client.post("/api/trades/", json={**GOOD, "trade_id": name})
    path = f"/api/trades/{created.json()['id']}"
    answers = [
        created,
        await client.get(f"/api/trades/?ticker=QQQ&sort_by=pnl&page_size=1&strategy={name}"),
        await client.patch(path, json={"notes": name}),
        await client.post(f"{path}/close?exit_price=110"),
        await client.get("/api/trades/metrics/portfolio"),
        await client.delete(path),
    ]
    return [answer.status_code for answer in answers]


async def test_many_environments_share_few_backends_and_leave_nothing_prepared_on_them(
    start_pooler: StartPooler, postgres_url: str
):
    pooler = await start_pooler()
    async with environments(pooler.dsn, CLIENTS) as clients:
        for number in range(ROUNDS):
            lives = await asyncio.gather(*(trade(client, f"P-{number}-{n}") for n, client in enumerate(clients)))
            assert lives == [[201, 200, 200, 200, 200, 204]] * CLIENTS
        connection = await asyncpg.connect(postgres_url)
        backends = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.close()
    assert 0 < backends <= POOL_SIZE
    assert await prepared_statements(pooler.dsn) == [0] * POOL_SIZE


async def prepared_statements(dsn: str) -> list[int]:
    """How many each backend of the pool holds; a transaction each, at once, so that each has one of its own."""
    connections = [await asyncpg.connect(dsn, statement_cache_size=0) for _ in range(POOL_SIZE)]
    try:
        for connection in connections:
            await connection.execute("BEGIN")
        counts = "SELECT pg_backend_pid(), (SELECT count(*) FROM pg_prepared_statements WHERE name <> '')"
        rows = [await connection.fetchrow(counts) for connection in connections]
        assert len({pid for pid, _ in rows}) == POOL_SIZE
        return [count for _, count in rows]
    finally:
        for connection in connections:
            await connection.close()


async def test_an_address_as_neon_writes_it_is_used_over_tls(start_pooler: StartPooler):
    pooler = await start_pooler(speaks_tls=True)
    address = f"{pooler.dsn}?sslmode=require&channel_binding=prefer"
    async with environments(address, 1) as (client,):
        assert (await client.get("/api/trades/")).status_code == 200
    database = SyncDatabase(address, settings_for(address, database_pooler=True))
    with database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM trades")) == 0
    database.dispose()
    with pytest.raises((asyncpg.PostgresError, OSError)):
        await asyncpg.connect(pooler.dsn, ssl=False)


def _tls_settings(directory: Path) -> dict[str, str]:
    """A certificate that nobody vouches for, which `sslmode=require` accepts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    valid = builder.not_valid_before(now).not_valid_after(now + timedelta(hours=1))
    certificate = valid.sign(key, hashes.SHA256())
    paths = directory / "server.crt", directory / "server.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {
        "client_tls_sslmode": "require",
        "client_tls_cert_file": str(paths[0]),
        "client_tls_key_file": str(paths[1]),
    }
