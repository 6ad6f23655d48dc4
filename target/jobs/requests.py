"""What can be asked of the worker, as the API hands it over and as the worker reads it. Light to import."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from target.jobs.job import Job, JobKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRequest:
    """A backtest as the client asked for it; `initial_capital` is in the currency of the prices.

    Dates are texts, for the contract accepts any: one that cannot be read has no prices. No `tickers` means the
    pipeline's own.
    """

    backtest_id: str
    strategy_name: str
    start_date: str
    end_date: str | None
    initial_capital: float
    tickers: Sequence[str] | None
    optimization_method: str

    def to_job(self) -> Job:
        """Return the job that runs it."""
        return Job(kind=JobKind.BACKTEST, payload=asdict(self), subject=self.strategy_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """A scan as the client asked for it; prices and volumes are those of the last day. No `tickers`: the universe's."""

    scanner_type: str
    universe: str
    min_price: float
    max_price: float
    min_volume: int
    tickers: Sequence[str]

    def to_job(self) -> Job:
        """Return the job that runs it."""
        return Job(kind=JobKind.SCAN, payload=asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequest:
    """A refresh of the cache for these tickers; `force` fetches also what is cached."""

    tickers: Sequence[str]
    force: bool = False

    def to_job(self) -> Job:
        """Return the job that runs it."""
        return Job(kind=JobKind.REFRESH, payload=asdict(self))
