"""A market whose prices follow from ticker and day, and which remembers what it was asked."""

from collections.abc import Iterable
from datetime import date, timedelta

from target.market_data.bars import DailyBar, FailureClass, FetchOutcome, Source

_SATURDAY = 5


class FakeMarket:
    """Trades on weekdays. `scale` is what adjusting does to all prices; `failing` tickers bring their failure."""

    def __init__(self, *, listed_on: date = date(2000, 1, 3), scale: float = 1.0) -> None:
        self.listed_on = listed_on
        self.scale = scale
        self.failing: dict[str, FailureClass] = {}
        self.asked: list[tuple[tuple[str, ...], date, date]] = []

    async def fetch_daily(self, tickers: Iterable[str], start: date, end: date) -> FetchOutcome:
        """Return the bars of the days from `start` to `end`, both included."""
        names = tuple(tickers)
        self.asked.append((names, start, end))
        bars = {name: self._bars(name, start, end) for name in names if name not in self.failing}
        failures = {name: self.failing[name] for name in names if name in self.failing}
        failures |= {name: FailureClass.EMPTY for name, found in bars.items() if not found}
        return FetchOutcome(bars={name: found for name, found in bars.items() if found}, failures=failures)

    def close(self, ticker: str, day: date) -> float:
        """Return the adjusted close of a trading day."""
        return (day.toordinal() % 97 + sum(map(ord, ticker))) * self.scale

    def _bars(self, ticker: str, start: date, end: date) -> tuple[DailyBar, ...]:
        span = (max(start, self.listed_on) + timedelta(days=n) for n in range((end - start).days + 1))
        return tuple(self._bar(ticker, day) for day in span if day <= end and day.weekday() < _SATURDAY)

    def _bar(self, ticker: str, day: date) -> DailyBar:
        close = self.close(ticker, day)
        return DailyBar(day, close, close, close, close, 100, close, close + 0.5, Source.TIINGO)
