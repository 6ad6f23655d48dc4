"""What was known when: every change leaves the version that it ended, on both databases, whoever made it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.models import IndexConstituent
from target.repositories.constituents import ConstituentRepository
from target.repositories.trade_history import TradeHistory, TradeVersion
from target.services.metrics import compute_portfolio

ENTRY, EXIT = datetime(2024, 3, 4, 10, 30), datetime(2024, 6, 7, 16)
GOOD = {
    "trade_id": "H-1",
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.0,
    "entry_date": ENTRY.isoformat(),
    "commission": 0,
}
JUST_BEFORE = timedelta(microseconds=1)


@pytest.fixture
async def session(app: FastAPI, client: httpx.AsyncClient) -> AsyncIterator[AsyncSession]:
    # Closed before the client: under Lambda's settings there is one connection, and requests need it.
    async with app.state.database.session() as opened:
        yield opened


async def changed_trade(client: httpx.AsyncClient) -> int:
    """A trade that was noted, then closed."""
    row_id = (await client.post("/api/trades/", json=GOOD)).json()["id"]
    await client.patch(f"/api/trades/{row_id}", json={"notes": "watched"})
    await client.post(f"/api/trades/{row_id}/close?exit_price=110&exit_date={EXIT.isoformat()}")
    return row_id


async def versions_of(app: FastAPI, row_id: int) -> list[TradeVersion]:
    async with app.state.database.session() as session:
        return list(await TradeHistory(session).list_versions(row_id))


async def as_of(app: FastAPI, *moments: datetime, **bounds: datetime) -> list[TradeVersion]:
    async with app.state.database.session() as session:
        return list(await TradeHistory(session).trades_as_of(*moments, **bounds))


def told(versions: list[TradeVersion]) -> list[tuple[str | None, str | None]]:
    return [(version.trade.status, version.trade.notes) for version in versions]


async def test_every_change_ends_a_version_and_the_next_begins_where_it_ended(app: FastAPI, client: httpx.AsyncClient):
    versions = await versions_of(app, await changed_trade(client))
    assert told(versions) == [("OPEN", None), ("OPEN", "watched"), ("CLOSED", "watched")]
    assert [version.event_at for version in versions] == [ENTRY, ENTRY, EXIT]
    assert versions[0].known_from == versions[0].trade.knowledge_timestamp
    assert [version.known_until for version in versions] == [*(version.known_from for version in versions[1:]), None]


async def test_a_trade_is_as_it_was_known_at_the_time(app: FastAPI, client: httpx.AsyncClient):
    first, second, third = await versions_of(app, await changed_trade(client))
    assert first.known_until and second.known_until
    assert told(await as_of(app, first.known_from - JUST_BEFORE)) == []
    assert told(await as_of(app, second.known_until - JUST_BEFORE)) == [("OPEN", "watched")]
    assert told(await as_of(app, second.known_until)) == told([third])


async def test_what_happened_later_is_not_seen_from_the_time_before(app: FastAPI, client: httpx.AsyncClient):
    *_, newest = await versions_of(app, await changed_trade(client))
    assert told(await as_of(app, newest.known_from, EXIT)) == [("CLOSED", "watched")]
    assert told(await as_of(app, newest.known_from, EXIT - JUST_BEFORE)) == [("OPEN", "watched")]
    assert told(await as_of(app, newest.known_from, ENTRY - JUST_BEFORE)) == []
    assert told(await as_of(app, newest.known_from, event_from=EXIT + JUST_BEFORE)) == []


async def test_a_corrected_exit_does_not_come_back(app: FastAPI, client: httpx.AsyncClient):
    row_id = await changed_trade(client)
    later = EXIT + timedelta(days=30)
    await client.patch(f"/api/trades/{row_id}", json={"exit_date": later.isoformat()})
    *_, newest = await versions_of(app, row_id)
    assert told(await as_of(app, newest.known_from, EXIT)) == [("OPEN", "watched")]
    (found,) = await as_of(app, newest.known_from, later)
    assert (found.trade.status, found.event_at) == ("CLOSED", later)


async def test_a_reopened_trade_is_open_whatever_it_was_closed_at(app: FastAPI, client: httpx.AsyncClient):
    row_id = await changed_trade(client)
    await client.patch(f"/api/trades/{row_id}", json={"status": "OPEN"})
    *_, newest = await versions_of(app, row_id)
    assert told(await as_of(app, newest.known_from, EXIT + timedelta(days=30))) == [("OPEN", "watched")]


async def test_a_deleted_trade_is_known_until_it_was_deleted(app: FastAPI, client: httpx.AsyncClient):
    row_id = await changed_trade(client)
    assert (await client.delete(f"/api/trades/{row_id}")).status_code == 204
    *_, last = await versions_of(app, row_id)
    assert last.known_until
    assert told(await as_of(app, last.known_until - JUST_BEFORE)) == [("CLOSED", "watched")]
    assert await as_of(app, last.known_until) == []


async def test_a_change_that_passes_by_the_application_is_kept_too(app: FastAPI, client: httpx.AsyncClient):
    row_id = (await client.post("/api/trades/", json=GOOD)).json()["id"]
    async with app.state.database.session() as session:
        await session.execute(text("UPDATE trades SET notes = notes"))
        await session.execute(text("UPDATE trades SET notes = 'by hand'"))
    assert told(await versions_of(app, row_id)) == [("OPEN", None), ("OPEN", "by hand")]


async def test_a_change_that_is_rolled_back_leaves_no_version(app: FastAPI, client: httpx.AsyncClient):
    row_id = (await client.post("/api/trades/", json=GOOD)).json()["id"]
    with pytest.raises(RuntimeError):
        async with app.state.database.session() as session:
            await session.execute(text("UPDATE trades SET notes = 'regretted'"))
            raise RuntimeError
    assert told(await versions_of(app, row_id)) == [("OPEN", None)]


async def test_the_portfolio_of_a_time_is_what_was_known_then(app: FastAPI, client: httpx.AsyncClient):
    *_, newest = await versions_of(app, await changed_trade(client))
    before = await as_of(app, newest.known_from - JUST_BEFORE)
    after = await as_of(app, newest.known_from)
    portfolios = [compute_portfolio([version.figures for version in known], 1000.0) for known in (before, after)]
    assert [(each.invested_value, each.total_pnl) for each in portfolios] == [(1000.0, 0.0), (0.0, 100.0)]


async def test_members_are_those_of_the_latest_list_at_the_time(session: AsyncSession):
    rows = [("B", 1), ("A", 1), ("A", 1), ("C", 5)]
    await session.execute(
        insert(IndexConstituent),
        [{"ticker": t, "index_name": "SPX500", "start_date": datetime(2024, 1, d)} for t, d in rows],
    )
    constituents = ConstituentRepository(session)
    found = [await constituents.list_members_at("SPX500", datetime(2024, 1, day)) for day in (4, 5)]
    assert found == [["A", "B"], ["C"]]
    assert await constituents.list_members_at("SPX500", datetime(2023, 1, 1)) == []
    assert await constituents.list_members_at("ASX200", datetime(2024, 1, 5)) == []
