"""What an ingest tells: its answer, its metrics, and what is left to do."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from target.ingest.requests import IngestRequest
from target.repositories.market_data import MergedRows

_MOST_NAMED = 50
_TICKERS_A_MESSAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """One ingest that came to its end. `retryable` are those of the failed tickers that may not fail again."""

    universe: str
    start: date
    end: date
    started_at: datetime
    finished_at: datetime
    successful: int
    failed: tuple[str, ...]
    retryable: tuple[str, ...]
    rejected_rows: int
    merged: MergedRows

    @property
    def duration_s(self) -> float:
        """From the event to the commit."""
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def rows_upserted(self) -> int:
        """Rows that were inserted or changed; what was there already does not count."""
        return self.merged.inserted + self.merged.changed

    @property
    def processed(self) -> int:
        """All tickers that were asked for."""
        return self.successful + len(self.failed)

    @property
    def is_in_vain(self) -> bool:
        """True where no ticker brought anything, and not because there is nothing to bring."""
        return self.successful == 0 and bool(self.retryable)

    def answer(self) -> dict[str, object]:
        """Return the function's answer. Source: contract section 6, its body as text, as the legacy's is."""
        body = {
            "message": "Daily ingest completed",
            "universe": self.universe,
            "tickers_processed": self.processed,
            "tickers_successful": self.successful,
            "tickers_failed": len(self.failed),
            "rows_upserted": self.rows_upserted,
            "execution_time_seconds": round(self.duration_s, 2),
            "failed_tickers": list(self.failed[:_MOST_NAMED]),
        }
        return {"statusCode": 200, "body": json.dumps(body)}

    def metrics(self) -> dict[str, float]:
        """Return the numbers by the contract's names; all are counts but ExecutionTime, in seconds."""
        return {
            "TickersProcessed": self.processed,
            "TickersSuccessful": self.successful,
            "TickersFailed": len(self.failed),
            "RowsUpserted": self.rows_upserted,
            "ExecutionTime": self.duration_s,
        }

    def retries(self) -> list[IngestRequest]:
        """Return what is to be tried again, in messages of a few tickers: the same days, whenever that will be."""
        return [
            IngestRequest(
                universe_key=self.universe,
                tickers=self.retryable[first : first + _TICKERS_A_MESSAGE],
                start=self.start,
                end=self.end,
            )
            for first in range(0, len(self.retryable), _TICKERS_A_MESSAGE)
        ]
