"""Which days a source was already asked about a ticker, and which are missing. Pure.

A day without a price is no missing day: exchanges close, companies are listed late. So what was asked is kept, beside
what was answered.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, Self

SETTLING = timedelta(days=3)
"""A source may publish a day as late as this; until then a day without a price stays open."""
RECHECK_AFTER = timedelta(hours=1)
"""An open day is asked for again at most this often."""
_DAY = timedelta(days=1)


class Days(NamedTuple):
    """The days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One ticker's: the days from `first` to `last` are final; until `asked_until` was asked, lastly at `asked_at`.

    It has no holes: what is asked for always touches what is covered. `last` lies before `first` where nothing is
    final yet.
    """

    first: date
    last: date
    asked_until: date
    asked_at: datetime

    @classmethod
    def of_answer(cls, asked: Days, last_priced: date | None, now: datetime) -> Self:
        """Return what an answer covers whose last price is of `last_priced`; a running day (UTC) is not final."""
        today = now.date()
        final = min(asked.last, max(last_priced or asked.first, today - SETTLING), today - _DAY)
        return cls(first=asked.first, last=max(final, asked.first - _DAY), asked_until=asked.last, asked_at=now)

    def joined(self, other: "Coverage") -> "Coverage":
        """Return what both cover; they have to touch."""
        return Coverage(
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            asked_until=max(self.asked_until, other.asked_until),
            asked_at=max(self.asked_at, other.asked_at),
        )

    def missing(self, wanted: Days, now: datetime) -> tuple[Days, ...]:
        """Return what has to be asked for: nothing, or days before, after or on both sides of what is covered.

        Each stretch touches what is covered, also where only days far from it are wanted.
        """
        stretches = []
        if wanted.first < self.first:
            stretches.append(Days(wanted.first, self.first))
        if wanted.last > self.last and not self._asked_lately(wanted.last, now):
            stretches.append(Days(self.last, wanted.last))
        return tuple(stretches)

    def _asked_lately(self, last: date, now: datetime) -> bool:
        return last <= self.asked_until and now - self.asked_at < RECHECK_AFTER
