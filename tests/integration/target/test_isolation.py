"""Concurrent histories on the target itself, on PostgreSQL: clean as it is, found out where a lock is taken away."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.orm.attributes import flag_modified
from target_support import ROOT, client_of, settings_for

from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.plan import Size
from harness.domain.isolation.scenario import IsolationScenario, parse_scenario
from harness.engine.isolation import IsolationTarget
from harness.engine.isolation_campaign import CampaignHooks, CampaignPlan, run_campaign
from target.app import create_app
from target.database import session as session_module
from target.database.models import Trade
from target.repositories.trades import TradeRepository

_ENVIRONMENTS = 5
_FILE = ROOT / "scenarios" / "isolation.toml"


class Environments:
    """Applications with one connection each, one request at a time, as functions have."""

    def __init__(self, clients: list[httpx.AsyncClient]) -> None:
        self._idle: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
        for client in clients:
            self._idle.put_nowait(client)

    async def send(self, request: Request) -> Exchange:
        """Waits for an idle one."""
        client = await self._idle.get()
        try:
            answer = await client.request(
                request.method, request.url, content=request.body, headers=dict(request.headers)
            )
        finally:
            self._idle.put_nowait(client)
        return Exchange(
            side=Side.TARGET,
            base_url="target.test",
            request=request,
            response=Response(status=answer.status_code, headers=(), body=answer.content),
            sent_at=datetime.now(UTC),
            duration_ms=0.0,
        )

    async def close(self) -> None:
        """Whoever made the clients closes them."""


@pytest.fixture
async def environments(postgres_url: str) -> AsyncIterator[Environments]:
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(_ENVIRONMENTS):
            app = create_app(settings_for(postgres_url, is_lambda=True, aws_secrets_manager_name=""), ("trades",))
            clients.append(await stack.enter_async_context(client_of(app)))
            stack.push_async_callback(app.state.database.dispose)
        yield Environments(clients)


def scenario(*names: str) -> IsolationScenario:
    """This migration's, or some of its operations; those that it cannot do without get no weight."""
    raw: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    if names:
        raw["operation"] = [
            each | ({} if each["name"] in names else {"weight": 0})
            for each in raw["operation"]
            if each["name"] in {*names, "create", "read", "delete", "list"}
        ]
    return parse_scenario(raw, where="here")


async def run(environments: Environments, wanted: IsolationScenario, until: str, histories: int) -> Campaign:
    plan = CampaignPlan(
        run="T",
        seed=1,
        size=Size(clients=_ENVIRONMENTS, keys=2, ops_per_client=3),
        histories=histories,
        until=lambda campaign: any(title.startswith(until) for title in campaign.found),
    )
    return await run_campaign(IsolationTarget(client=environments, scenario=wanted), plan, CampaignHooks())


def without_locks(patch: pytest.MonkeyPatch) -> None:
    async def find(self: TradeRepository, row_id: int, *, for_update: bool = False) -> Trade | None:
        return await self._session.get(Trade, row_id)

    patch.setattr(TradeRepository, "find", find)


def rewriting_rows(patch: pytest.MonkeyPatch) -> None:
    async def change(self: TradeRepository, trade: Trade, values: dict[str, object]) -> None:
        for name, value in values.items():
            setattr(trade, name, value)
        for name in ("notes", "exit_price", "pnl", "status"):
            flag_modified(trade, name)
        await self._session.flush()

    without_locks(patch)
    patch.setattr(TradeRepository, "change", change)


def without_snapshots(patch: pytest.MonkeyPatch) -> None:
    opened = session_module.Database.session
    patch.setattr(session_module.Database, "session", lambda self, **_: opened(self))


PLANTED = [
    ("double close", without_locks, ("close", "reopen")),
    ("lost update", rewriting_rows, ("annotate", "reprice")),
    ("phantom page", without_snapshots, ("create", "delete", "list")),
]


async def test_the_target_is_clean(environments: Environments) -> None:
    campaign = await run(environments, scenario(), "any", 8)
    assert campaign.found == {}
    assert (campaign.histories, campaign.unknown, campaign.undecided) == (8, 0, 0)
    assert campaign.contended > 2


@pytest.mark.parametrize(("found", "plant", "names"), PLANTED, ids=[case[0] for case in PLANTED])
async def test_a_planted_race_is_found(
    environments: Environments,
    monkeypatch: pytest.MonkeyPatch,
    found: str,
    plant: Callable[[pytest.MonkeyPatch], None],
    names: tuple[str, ...],
) -> None:
    plant(monkeypatch)
    campaign = await run(environments, scenario(*names), found, 60)
    assert any(title.startswith(found) for title in campaign.found), campaign


async def test_a_snapshot_is_as_of_its_first_read(postgres_url: str) -> None:
    """The level is that of its own transaction alone."""
    app = create_app(settings_for(postgres_url, is_lambda=True, aws_secrets_manager_name=""), ("trades",))
    database = app.state.database

    levels = []
    for of_one_moment in (False, True, False):
        async with database.session(of_one_moment=of_one_moment) as session:
            connection = await session.connection()
            levels.append((await connection.exec_driver_sql("SHOW transaction_isolation")).scalar())
    await database.dispose()
    assert levels == ["read committed", "repeatable read", "read committed"]
