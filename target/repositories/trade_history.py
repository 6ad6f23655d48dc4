"""Trades as they were known at a time: every version that was, and which of them held when (ADR 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Label,
    Row,
    Select,
    case,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.history import TRADES_HISTORY
from target.database.models import Trade
from target.services.metrics import TradeFigures

_ENDED = TRADES_HISTORY.c
_CURRENT = Trade.__table__.c
_COPIED = tuple(column.name for column in _CURRENT if column.name != "event_timestamp")
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeVersion:
    """One version of a trade; times are naive UTC.

    It was what the database held from `known_from` up to, not including, `known_until`; None means until now.
    `event_at` is when what it tells happened: the exit of a closed trade, the entry of any other, unless the trade
    says otherwise. `trade` belongs to no session.
    """

    trade: Trade
    event_at: datetime
    known_from: datetime
    known_until: datetime | None

    @property
    def figures(self) -> TradeFigures:
        """What the portfolio of that time needs of it."""
        trade = self.trade
        return TradeFigures(trade.status, trade.pnl, trade.quantity, trade.entry_price, trade.entry_date)


class TradeHistory:
    """Reads the past of trades within the session's transaction; the database's triggers write it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def trades_as_of(
        self, knowledge_at: datetime, event_at: datetime | None = None, *, event_from: datetime | None = None
    ) -> Sequence[TradeVersion]:
        """Return each trade as it was known at `knowledge_at`, in id order, without those deleted by then.

        With `event_at`, as far as it had happened by then: a trade that was closed later is the open one that it
        was, and what was corrected since does not come back. `event_from` leaves out what happened before. A
        simulation of a day T with a year's memory is `trades_as_of(T, T, event_from=T - timedelta(days=365))`.
        Source: contract section 2, bi-temporal.
        """
        versions = _versions()
        # Of a trade's open and closed versions, the last word on each; the later of those that had happened holds.
        words = select(versions, _place(versions, versions.c.id, versions.c.is_closed))
        word = words.where(versions.c.known_from <= knowledge_at).subquery()
        happened = [word.c.event_at <= event_at] if event_at is not None else []
        latest = select(*_without_place(word), _place(word, word.c.id)).where(word.c.place == 1, *happened).subquery()
        recent = [latest.c.event_at >= event_from] if event_from is not None else []
        deleted = exists().where(
            _ENDED.id == latest.c.id, _ENDED.ended_by == "DELETE", _ENDED.known_until <= knowledge_at
        )
        chosen = select(latest).where(latest.c.place == 1, ~deleted, *recent)
        return await self._read(chosen.order_by(latest.c.id))

    async def list_versions(self, row_id: int) -> Sequence[TradeVersion]:
        """Return every version of one trade, oldest first; those of a deleted trade too."""
        versions = _versions()
        return await self._read(
            select(versions).where(versions.c.id == row_id).order_by(versions.c.known_from, versions.c.version_id)
        )

    async def _read(self, statement: Select[*tuple[object, ...]]) -> Sequence[TradeVersion]:
        return [_version(row) for row in await self._session.execute(statement)]


def _versions() -> CTE:
    """Ended versions and current ones, in one shape."""
    ended = select(
        *(_ENDED[name] for name in _COPIED),
        _ENDED.event_timestamp.label("event_at"),
        _ENDED.known_from,
        _ENDED.known_until,
        _ENDED.version_id,
        case((_ENDED.status == "CLOSED", 1), else_=0).label("is_closed"),
    )
    since = select(func.max(_ENDED.known_until)).where(_ENDED.id == _CURRENT.id).scalar_subquery()
    is_closed = _CURRENT.status == "CLOSED"
    current = select(
        *(_CURRENT[name] for name in _COPIED),
        func.coalesce(_CURRENT.event_timestamp, case((is_closed, _CURRENT.exit_date)), _CURRENT.entry_date),
        func.coalesce(since, _CURRENT.knowledge_timestamp),
        null(),
        literal(_NEWEST),
        case((is_closed, 1), else_=0),
    )
    return union_all(ended, current).cte("versions")


def _place(source: FromClause, *group: ColumnElement[object]) -> Label[int]:
    """The place of a version within its group, the one known last first."""
    newest_first = (source.c.known_from.desc(), source.c.version_id.desc())
    return func.row_number().over(partition_by=group, order_by=newest_first).label("place")


def _without_place(source: FromClause) -> list[ColumnElement[object]]:
    return [column for column in source.c if column.name != "place"]


def _version(row: Row[*tuple[object, ...]]) -> TradeVersion:
    values = row._mapping
    return TradeVersion(
        trade=Trade(**{name: values[name] for name in _COPIED}, event_timestamp=values["event_at"]),
        event_at=values["event_at"],
        known_from=values["known_from"],
        known_until=values["known_until"],
    )
