"""Ingest into PostgreSQL: exact, idempotent, never lowering a flag, and keeping what it could not do."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from target_support import settings_for

from target.database.engine import Database
from target.ingest.errors import IngestEventInvalid, NothingIngested, PostgresqlNeeded
from target.ingest.events import IngestEvents
from target.ingest.ingest import Ingest
from target.ingest.requests import IngestRequest
from target.market_data.bars import DailyBar, FailureClass, RejectedRow, Source, TickerOutcome
from target.secrets import SecretStore

NOW = datetime(2026, 1, 9, 6, 0, tzinfo=UTC)
DAYS = [date(2026, 1, day) for day in (5, 6, 7, 8)]
PRICES = "SELECT ticker, date, open, high, low, close, volume, adjusted_close, source, data_quality FROM market_data"
VERSIONS = "SELECT ticker, date, xmin::text, ctid::text, updated_at FROM market_data ORDER BY 1, 2"

Bars = dict[str, tuple[DailyBar, ...]]


def bar(day: date, close: float = 10.0, **changed: Any) -> DailyBar:
    made = DailyBar(day, close, close + 1, close - 1, close, 100, close / 2, close / 2, Source.TIINGO)
    return made._replace(**changed)


class Sources:
    """Hands out prepared outcomes; what is not prepared hangs for ever."""

    def __init__(self, *outcomes: TickerOutcome) -> None:
        self.outcomes = {outcome.ticker: outcome for outcome in outcomes}
        self.asked: list[tuple[tuple[str, ...], date, date]] = []

    async def fetch_each(
        self, tickers: Iterable[str], start: date, end: date, receive: Callable[[TickerOutcome], None]
    ) -> None:
        names = tuple(tickers)
        self.asked.append((names, start, end))
        for name in names:
            if name not in self.outcomes:
                await asyncio.Event().wait()
            receive(self.outcomes[name])


class Queue:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[IngestRequest] = []

    async def send(self, requests: Iterable[IngestRequest]) -> None:
        self.sent += requests


def good(ticker: str, *bars: DailyBar, rejected: tuple[RejectedRow, ...] = ()) -> TickerOutcome:
    return TickerOutcome(ticker=ticker, bars=bars or tuple(bar(day) for day in DAYS), rejected=rejected)


def failed(ticker: str, failure: FailureClass) -> TickerOutcome:
    return TickerOutcome(ticker=ticker, failure=failure)


class World:
    """One database, and ingests into it."""

    def __init__(self, url: str) -> None:
        self.settings = settings_for(url, is_lambda=True, aws_secrets_manager_name="", universe_key="MINE")
        self.database = Database(self.settings, SecretStore(self.settings))
        self.queue = Queue()

    async def answer(self, sources: Sources, event: Any = None, remaining_s: float = 300.0) -> dict[str, Any]:
        ingest = Ingest(settings=self.settings, database=self.database, fetcher=sources, now=lambda: NOW)
        return await IngestEvents(ingest=ingest, retries=self.queue).answer(event, lambda: remaining_s)

    async def body(self, sources: Sources, event: Any = None, remaining_s: float = 300.0) -> dict[str, Any]:
        answer = await self.answer(sources, event, remaining_s)
        assert answer["statusCode"] == 200
        return json.loads(answer["body"])

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.session() as session:
            found = await session.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    async def index(self, name: str, start: str, *tickers: str) -> None:
        rows = ", ".join(f"('{ticker}', '{name}', '{start}')" for ticker in tickers)
        await self.rows(f"INSERT INTO index_constituents (ticker, index_name, start_date) VALUES {rows}")


@asynccontextmanager
async def world_of(url: str):
    made = World(url)
    try:
        yield made
    finally:
        await made.database.dispose()


@pytest.fixture
async def world(postgres_url: str):
    async with world_of(postgres_url) as made:
        await made.index("MINE", "2026-01-01", "AAA", "BBB")
        yield made


async def test_every_price_is_stored_as_the_source_gave_it_and_the_answer_counts_them(world: World):
    odd = bar(DAYS[0], open=10.12345, volume=2**40, adjusted_close=0.33335)
    body = await world.body(Sources(good("AAA", odd), good("BBB")))
    assert body.pop("execution_time_seconds") == 0.0
    assert body == {
        "message": "Daily ingest completed",
        "universe": "MINE",
        "tickers_processed": 2,
        "tickers_successful": 2,
        "tickers_failed": 0,
        "rows_upserted": 5,
        "failed_tickers": [],
    }
    (row,) = await world.rows(f"{PRICES} WHERE ticker = 'AAA'")
    prices = [Decimal(text) for text in ("10.1235", "11.0000", "9.0000", "10.0000")]
    assert row == ("AAA", DAYS[0], *prices, 2**40, Decimal("0.3334"), "tiingo", "good")


async def test_a_second_run_touches_no_row_and_a_correction_only_its_own(world: World):
    sources = Sources(good("AAA"), good("BBB"))
    await world.answer(sources)
    before = await world.rows(VERSIONS)
    assert (await world.body(sources))["rows_upserted"] == 0
    assert await world.rows(VERSIONS) == before
    corrected = [bar(day, 10.5 if day == DAYS[2] else 10.0) for day in DAYS]
    assert (await world.body(Sources(good("AAA", *corrected), good("BBB"))))["rows_upserted"] == 1
    after = await world.rows(VERSIONS)
    assert [row[:2] for row, old in zip(after, before, strict=True) if row != old] == [("AAA", DAYS[2])]
    runs = await world.rows("SELECT rows_inserted, rows_changed, rows_unchanged FROM ingest_runs ORDER BY id")
    assert runs == [(8, 0, 0), (0, 0, 8), (0, 1, 7)]


@pytest.mark.parametrize("flag", ["suspect", "bad"])
async def test_a_flag_is_raised_but_never_lowered_while_the_price_is_corrected(world: World, flag: str):
    await world.answer(Sources(good("AAA"), good("BBB")))
    await world.rows(f"UPDATE market_data SET data_quality = '{flag}' WHERE ticker = 'AAA' AND date = '2026-01-06'")
    jumped = [bar(day, 30.0 if day == DAYS[3] else 10.5) for day in DAYS]
    await world.answer(Sources(good("AAA", *jumped), good("BBB")))
    found = await world.rows("SELECT close::text, data_quality FROM market_data WHERE ticker = 'AAA' ORDER BY date")
    assert found == [("10.5000", "good"), ("10.5000", flag), ("10.5000", "good"), ("30.0000", "suspect")]


async def test_a_row_without_a_flag_counts_as_good(world: World):
    await world.answer(Sources(good("AAA"), good("BBB")))
    await world.rows("UPDATE market_data SET data_quality = NULL WHERE ticker = 'AAA'")
    assert (await world.body(Sources(good("AAA"), good("BBB"))))["rows_upserted"] == 4


async def test_what_could_not_be_had_is_recorded_and_only_what_may_pass_is_tried_again(world: World):
    await world.index("WIDE", "2026-01-01", *[f"T{number:02}" for number in range(25)], "GONE", "GOOD")
    rejected = (RejectedRow(DAYS[0], "low is not above zero"),)
    outcomes = [failed(f"T{number:02}", FailureClass.THROTTLED) for number in range(25)]
    sources = Sources(
        *outcomes, failed("GONE", FailureClass.UNKNOWN_TICKER), good("GOOD", bar(DAYS[1]), rejected=rejected)
    )
    body = await world.body(sources, {"universe_key": "WIDE"})
    assert (body["tickers_failed"], body["rows_upserted"], len(body["failed_tickers"])) == (26, 1, 26)
    assert [len(request.tickers or ()) for request in world.queue.sent] == [20, 5]
    assert {(request.universe_key, request.start, request.end) for request in world.queue.sent} == {
        ("WIDE", date(2026, 1, 4), date(2026, 1, 9))
    }
    recorded = await world.rows("SELECT ticker, traded_on, failure, reason FROM ingest_failures ORDER BY ticker")
    assert recorded[:2] == [
        ("GONE", None, "unknown_ticker", None),
        ("GOOD", DAYS[0], "rejected_row", rejected[0].reason),
    ]
    assert {row[2] for row in recorded[2:]} == {"throttled"}


async def test_what_is_not_done_in_time_has_failed_and_the_rest_is_kept(world: World):
    body = await world.body(Sources(good("AAA")), remaining_s=46.0)  # one second after what writing is given
    assert (body["tickers_successful"], body["failed_tickers"], body["rows_upserted"]) == (1, ["BBB"], 4)
    assert [request.tickers for request in world.queue.sent] == [("BBB",)]


async def test_a_queue_brings_back_the_tickers_alone_and_keeps_what_fails_again(world: World):
    sources = Sources(good("AAA"), failed("BBB", FailureClass.SERVER_ERROR), failed("CCC", FailureClass.EMPTY))
    bodies: list[Mapping[str, Any] | str] = [
        {"universe_key": "MINE", "tickers": ["AAA", "CCC"], "start": "2026-01-02", "end": "2026-01-06"},
        {"universe_key": "MINE", "tickers": ["BBB"], "start": "2026-01-02", "end": "2026-01-06"},
        "not json",
        {"universe_key": "NOBODY"},
    ]
    records = [
        {"messageId": f"m{number}", "body": body if isinstance(body, str) else json.dumps(body)}
        for number, body in enumerate(bodies)
    ]
    answer = await world.answer(sources, {"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": name} for name in ("m1", "m2", "m3")]}
    assert sources.asked[0] == (("AAA", "CCC"), date(2026, 1, 2), date(2026, 1, 6))
    assert world.queue.sent == []
    assert await world.rows("SELECT count(*) FROM market_data") == [(4,)]


async def test_if_nothing_could_be_had_the_run_is_recorded_and_fails(world: World):
    sources = Sources(*(failed(ticker, FailureClass.REFUSED_CREDENTIALS) for ticker in ("AAA", "BBB")))
    with pytest.raises(NothingIngested, match="None of 2 tickers of MINE"):
        await world.answer(sources)
    assert await world.rows("SELECT tickers_failed FROM ingest_runs") == [(2,)]
    assert world.queue.sent == []


async def test_a_universe_without_trading_is_no_failure(world: World):
    sources = Sources(*(failed(ticker, FailureClass.EMPTY) for ticker in ("AAA", "BBB")))
    assert (await world.body(sources))["tickers_failed"] == 2


async def test_an_index_is_its_latest_list_that_has_begun(world: World):
    await world.index("MINE", "2026-01-08", "NEW")
    await world.index("MINE", "2026-01-10", "LATER")
    sources = Sources(good("NEW"))
    await world.answer(sources)
    assert sources.asked == [(("NEW",), date(2026, 1, 4), date(2026, 1, 9))]


async def test_a_universe_of_the_catalogue_needs_no_index(world: World):
    sources = Sources()
    with pytest.raises(NothingIngested):
        await world.answer(sources, {"universe_key": "CORE_ETFS"}, remaining_s=1.0)
    assert len(sources.asked[0][0]) == 15


@pytest.mark.parametrize("event", [{"universe_key": "NOBODY"}, {"universe": "MINE"}])
async def test_a_bad_event_is_refused_before_anything_is_fetched(world: World, event: dict[str, str]):
    sources = Sources()
    with pytest.raises(IngestEventInvalid, match="universe"):
        await world.answer(sources, event)
    assert sources.asked == []
    assert await world.rows("SELECT count(*) FROM ingest_runs") == [(0,)]


async def test_sqlite_is_refused_with_what_to_do(sqlite_url: str):
    async with world_of(sqlite_url) as world:
        with pytest.raises(PostgresqlNeeded, match="NEON_DATABASE_URL"):
            await world.answer(Sources())


async def test_a_failure_while_writing_leaves_nothing(world: World):
    await world.rows("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
    await world.rows("CREATE TRIGGER refuse BEFORE INSERT ON ingest_failures FOR EACH ROW EXECUTE FUNCTION refuse()")
    with pytest.raises(Exception, match="no"):
        await world.answer(Sources(good("AAA"), failed("BBB", FailureClass.EMPTY)))
    assert await world.rows("SELECT (SELECT count(*) FROM market_data), (SELECT count(*) FROM ingest_runs)") == [(0, 0)]


async def test_two_ingests_at_once_neither_wait_for_each_other_in_a_circle_nor_double_a_row(postgres_url: str):
    tickers = [f"T{number:03}" for number in range(300)]
    async with world_of(postgres_url) as one, world_of(postgres_url) as other:
        await one.index("MINE", "2026-01-01", *tickers)
        outcomes = [good(ticker) for ticker in tickers]
        found = await asyncio.gather(one.body(Sources(*outcomes)), other.body(Sources(*reversed(outcomes))))
        assert sum(body["rows_upserted"] for body in found) == 1200
        assert await one.rows("SELECT count(*) FROM market_data") == [(1200,)]
