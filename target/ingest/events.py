"""What the function does with an event: one ingest, or one for each message of a queue."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from target.database.engine import Database
from target.errors import DependencyUnavailable
from target.ingest.errors import IngestEventInvalid, NothingIngested
from target.ingest.ingest import Ingest
from target.ingest.report import IngestReport
from target.ingest.requests import QueuedRequest, is_batch, parse_batch, parse_event
from target.ingest.retry_queue import RetryQueue, retry_queue
from target.market_data.client import MarketDataClient
from target.observability import MetricUnit, record_metric
from target.secrets import SecretStore
from target.settings import Settings

_log = logging.getLogger(__name__)

RemainingTime = Callable[[], float]
"""Seconds until the function is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestEvents:
    """Answers events; whatever it raises is for Lambda to try again, and to set the event aside at last."""

    ingest: Ingest
    retries: RetryQueue

    async def answer(self, event: object, remaining_s: RemainingTime) -> dict[str, object]:
        """Return the answer of contract section 6; to a queue, the messages that shall come again.

        Raises:
            IngestEventInvalid: the event cannot be understood.
            NothingIngested: no ticker brought anything and some may later.
            DependencyUnavailable: database, secret store or queue do not answer now.
        """
        try:
            return await (self._answer_batch if is_batch(event) else self._answer_one)(event, remaining_s)
        except Exception:
            record_metric("FatalErrors", MetricUnit.Count, 1)
            raise

    async def _answer_one(self, event: object, remaining_s: RemainingTime) -> dict[str, object]:
        report = await self.ingest.run(parse_event(event), limit_s=remaining_s())
        _tell(report)
        if report.is_in_vain:
            raise NothingIngested(
                f"None of {report.processed} tickers of {report.universe} could be had: see ingest_failures for why."
            )
        await self.retries.send(report.retries())
        return report.answer()

    async def _answer_batch(self, event: object, remaining_s: RemainingTime) -> dict[str, object]:
        again = [message.message_id for message in parse_batch(event) if not await self._is_done(message, remaining_s)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}

    async def _is_done(self, message: QueuedRequest, remaining_s: RemainingTime) -> bool:
        """False leaves the message in the queue, which sets it aside after some deliveries."""
        if message.request is None:
            _log.error("Message %s cannot be understood: %s", message.message_id, message.error)
            return False
        try:
            report = await self.ingest.run(message.request, limit_s=remaining_s())
        except (IngestEventInvalid, DependencyUnavailable) as error:
            _log.error("Message %s comes again: %s", message.message_id, error)
            record_metric("FatalErrors", MetricUnit.Count, 1)
            return False
        _tell(report)
        return not report.retryable


def open_events(settings: Settings) -> IngestEvents:
    """Return what answers a process's events. Opens no connection and reads no secret."""
    secrets = SecretStore(settings)
    ingest = Ingest(
        settings=settings,
        database=Database(settings, secrets),
        fetcher=MarketDataClient(settings, secrets.get_tiingo_token),
    )
    return IngestEvents(ingest=ingest, retries=retry_queue(settings))


def _tell(report: IngestReport) -> None:
    _log.info("Ingested %s: %s", report.universe, report.answer()["body"])
    for name, value in report.metrics().items():
        unit = MetricUnit.Seconds if name == "ExecutionTime" else MetricUnit.Count
        record_metric(name, unit, value)
