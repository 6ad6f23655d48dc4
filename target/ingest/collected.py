"""What a fetch brought, as it is to be written: rows, failures, and the numbers that are told of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from target.ingest.quality import graded
from target.market_data.bars import DailyBar, FailureClass, TickerOutcome

REJECTED_ROW = "rejected_row"
_STEP = Decimal("0.0001")


class PriceRow(NamedTuple):
    """A row of `market_data`, as COPY takes it; its columns by these names."""

    ticker: str
    date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    adjusted_close: Decimal
    source: str
    data_quality: str


class Failure(NamedTuple):
    """A ticker without prices, or a row that could not be kept."""

    ticker: str
    traded_on: date | None
    failure: str
    reason: str | None


@dataclass(slots=True)
class Collected:
    """Grows by one outcome after the other; a ticker counts as failed if not one of its bars can be kept."""

    rows: list[PriceRow] = field(default_factory=list)
    failed: dict[str, FailureClass] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    successful: int = 0

    def add(self, outcome: TickerOutcome) -> None:
        """Take one ticker's outcome in."""
        self.failures += [Failure(outcome.ticker, row.date, REJECTED_ROW, row.reason) for row in outcome.rejected]
        if outcome.failure is not None:
            self.fail(outcome.ticker, outcome.failure)
            return
        self.successful += 1
        self.rows.extend(_rows(outcome.ticker, outcome.bars))

    def fail(self, ticker: str, failure: FailureClass) -> None:
        """Count a ticker as failed."""
        self.failed[ticker] = failure
        self.failures.append(Failure(ticker, None, failure.value, None))

    @property
    def rejected_rows(self) -> int:
        """How many rows could not be kept."""
        return sum(failure.failure == REJECTED_ROW for failure in self.failures)

    def retryable(self) -> tuple[str, ...]:
        """Failed tickers that another attempt may bring."""
        return tuple(ticker for ticker, failure in self.failed.items() if failure.may_pass)


def _rows(ticker: str, bars: Iterable[DailyBar]) -> Iterator[PriceRow]:
    for bar, quality in graded(bars):
        yield PriceRow(
            ticker,
            bar.date,
            _stored(bar.open),
            _stored(bar.high),
            _stored(bar.low),
            _stored(bar.close),
            bar.volume,
            _stored(bar.adjusted_close or bar.close),
            bar.source.value,
            quality.value,
        )


def _stored(price: float) -> Decimal:
    """As the column keeps it. From the shortest decimal that is this float, which is what the source wrote."""
    return Decimal(repr(price)).quantize(_STEP, ROUND_HALF_UP)
