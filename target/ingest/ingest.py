"""One ingest: resolve the tickers, fetch their prices, write everything in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from target.database.engine import Database
from target.database.ingest import IngestRun
from target.ingest.collected import Collected
from target.ingest.errors import PostgresqlNeeded
from target.ingest.report import IngestReport
from target.ingest.requests import IngestRequest
from target.ingest.universes import list_tickers
from target.market_data.bars import FailureClass, TickerOutcome
from target.repositories.ingest_runs import IngestRunRepository
from target.repositories.market_data import MarketDataRepository
from target.settings import Settings

_WRITING_S = 45.0
"""Kept back of the function's time for the transaction."""


class PriceFetcher(Protocol):
    """Where prices come from: `target.market_data.client.MarketDataClient`, or a fake of it."""

    async def fetch_each(
        self, tickers: Sequence[str], start: date, end: date, receive: Callable[[TickerOutcome], None]
    ) -> None:
        """Tell `receive` of each ticker once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Everything an ingest needs of the world."""

    settings: Settings
    database: Database
    fetcher: PriceFetcher
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def run(self, request: IngestRequest, *, limit_s: float | None = None) -> IngestReport:
        """Bring the request's prices into `market_data`: all that could be had, or, if this raises, nothing at all.

        No connection is held while prices are fetched, and none of them is written before all are there: a process
        that is killed leaves what was before. The same prices again change no row. Of `limit_s` seconds the last are
        kept for writing; tickers that are not done by then have failed by TIMEOUT.

        Raises:
            IngestEventInvalid: nobody knows the universe.
            PostgresqlNeeded: the database is another.
            DependencyUnavailable: the database or the secret store does not answer now.
        """
        started_at = self.now()
        universe = request.universe_key or self.settings.universe_key
        end = request.end or started_at.date()
        start = request.start or end - timedelta(days=self.settings.lookback_days)
        tickers = await self._tickers(request, universe, started_at)
        collected = await self._fetch(tickers, start, end, limit_s)
        async with self.database.session() as session:
            merged = await MarketDataRepository(session).merge(collected.rows)
            report = IngestReport(
                universe=universe,
                start=start,
                end=end,
                started_at=started_at,
                finished_at=self.now(),
                successful=collected.successful,
                failed=tuple(collected.failed),
                retryable=collected.retryable(),
                rejected_rows=collected.rejected_rows,
                merged=merged,
            )
            failures = [failure._asdict() for failure in collected.failures]
            await IngestRunRepository(session).add(_row(report), failures)
        return report

    async def _tickers(self, request: IngestRequest, universe: str, moment: datetime) -> tuple[str, ...]:
        async with self.database.session() as session:
            _require_postgresql(session)
            if request.tickers is not None:
                return tuple(dict.fromkeys(request.tickers))
            return await list_tickers(session, universe, moment)

    async def _fetch(self, tickers: Sequence[str], start: date, end: date, limit_s: float | None) -> Collected:
        collected = Collected()
        waiting = dict.fromkeys(tickers)

        def receive(outcome: TickerOutcome) -> None:
            del waiting[outcome.ticker]
            collected.add(outcome)

        try:
            async with asyncio.timeout(None if limit_s is None else max(1.0, limit_s - _WRITING_S)):
                await self.fetcher.fetch_each(tickers, start, end, receive)
        except TimeoutError:
            for ticker in waiting:
                collected.fail(ticker, FailureClass.TIMEOUT)
        return collected


def _require_postgresql(session: AsyncSession) -> None:
    dialect = session.get_bind().dialect.name
    if dialect != "postgresql":
        raise PostgresqlNeeded(dialect)


def _row(report: IngestReport) -> IngestRun:
    merged = report.merged
    return IngestRun(
        universe=report.universe,
        start_on=report.start,
        end_on=report.end,
        started_at=report.started_at,
        finished_at=report.finished_at,
        tickers_processed=report.processed,
        tickers_successful=report.successful,
        tickers_failed=len(report.failed),
        rows_inserted=merged.inserted,
        rows_changed=merged.changed,
        rows_unchanged=merged.unchanged,
        rows_rejected=report.rejected_rows,
    )
