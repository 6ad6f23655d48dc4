"""Every statement on the trades table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, false, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.models import Trade
from target.errors import DuplicateTrade
from target.services.metrics import TradeFigures

COLUMNS = frozenset(column.key for column in Trade.__table__.columns)
"""What a list can be sorted by."""

# LEGACY-PARITY: Q11, its ties ran upwards unless an index was read backwards, which a strategy filter prevented.
_READ_BACKWARDS = frozenset({"entry_date", "ticker", "knowledge_timestamp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """Which trades a list holds; None filters nothing, bounds of the entry date are inclusive."""

    ticker: str | None = None
    status: str | None = None
    strategy: str | None = None
    entered_from: datetime | None = None
    entered_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which stretch of a list, and its order; `sort_by` is one of COLUMNS."""

    limit: int
    offset: int
    sort_by: str
    descending: bool


class TradeRepository:
    """Reads and writes trades within the session's transaction; never commits."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def refuse_taken(self, trade_id: str) -> None:
        """Pass where no trade carries this trade_id. Asked before an insert, so that a refused one burns no id.

        Raises:
            DuplicateTrade: one does.
        """
        if "\x00" in trade_id:  # no row carries one, and PostgreSQL refuses to be asked for it
            return
        if await self._session.scalar(select(Trade.id).where(Trade.trade_id == trade_id)) is not None:
            raise DuplicateTrade(trade_id)

    async def add(self, values: Mapping[str, Any]) -> Trade:
        """Insert one trade and return it with what the server filled in.

        Raises:
            DuplicateTrade: another request takes its trade_id at the same moment.
        """
        trade = Trade(**values)
        self._session.add(trade)
        try:
            await self._session.flush()
        except IntegrityError as error:
            if "ix_trades_trade_id" in str(error.orig) or "trades.trade_id" in str(error.orig):
                raise DuplicateTrade(trade.trade_id) from error
            raise
        return trade

    async def find(self, row_id: int, *, for_update: bool = False) -> Trade | None:
        """Return the trade with this id; `for_update` makes concurrent writers of the same row take turns."""
        return await self._session.get(Trade, row_id, with_for_update=True if for_update else None)

    async def change(self, trade: Trade, values: Mapping[str, Any]) -> None:
        """Set these columns; a row whose values stay the same is not written and keeps its updated_at."""
        for name, value in values.items():
            setattr(trade, name, value)
        await self._session.flush()

    async def remove(self, trade: Trade) -> None:
        """Delete this trade; its id is never used again (Q7)."""
        await self._session.delete(trade)
        await self._session.flush()

    async def count(self, wanted: TradeFilter | None = None) -> int:
        """Return how many trades match."""
        statement = select(func.count()).select_from(Trade).where(*_conditions(wanted or TradeFilter()))
        return await self._session.scalar(statement) or 0

    async def list_page(self, wanted: TradeFilter, page: PageRequest) -> Sequence[Trade]:
        """Return one page in a total order: equal sort keys are told apart by id."""
        statement = (
            select(Trade)
            .where(*_conditions(wanted))
            .order_by(*_order(page, filtered_by_strategy=bool(wanted.strategy)))
            .limit(page.limit)
            .offset(page.offset)
        )
        return (await self._session.scalars(statement)).all()

    async def list_recent(self, limit: int) -> Sequence[Trade]:
        """Return the trades entered last, latest first."""
        page = PageRequest(limit=limit, offset=0, sort_by="entry_date", descending=True)
        return await self.list_page(TradeFilter(), page)

    async def list_figures(self) -> Sequence[TradeFigures]:
        """Return the figures of every trade in id order."""
        figures = (Trade.status, Trade.pnl, Trade.quantity, Trade.entry_price, Trade.entry_date)
        rows = await self._session.execute(select(*figures).order_by(Trade.id))
        return [TradeFigures(*row) for row in rows]

    async def list_closed_pnl(self) -> Sequence[tuple[str, float | None]]:
        """Return ticker and profit of every closed trade, by ticker and then id."""
        rows = await self._session.execute(
            select(Trade.ticker, Trade.pnl).where(Trade.status == "CLOSED").order_by(Trade.ticker, Trade.id)
        )
        return [(ticker, pnl) for ticker, pnl in rows]

    async def list_exits(self, start: datetime, end: datetime) -> Sequence[tuple[datetime, float]]:
        """Return exit date and profit of the trades closed between the two, both inclusive, in id order."""
        rows = await self._session.execute(
            select(Trade.exit_date, Trade.pnl)
            .where(Trade.status == "CLOSED", Trade.exit_date.between(start, end), Trade.pnl.is_not(None))
            .order_by(Trade.id)
        )
        return [(exit_date, pnl) for exit_date, pnl in rows if exit_date is not None and pnl is not None]


def _conditions(wanted: TradeFilter) -> list[ColumnElement[bool]]:
    texts = ((Trade.ticker, wanted.ticker), (Trade.status, wanted.status), (Trade.strategy_name, wanted.strategy))
    # No stored text holds a NUL, and PostgreSQL refuses to be asked for one.
    conditions = [false() if "\x00" in text else column == text for column, text in texts if text]
    if wanted.entered_from is not None:
        conditions.append(Trade.entry_date >= wanted.entered_from)
    if wanted.entered_until is not None:
        conditions.append(Trade.entry_date <= wanted.entered_until)
    return conditions


def _order(page: PageRequest, *, filtered_by_strategy: bool) -> list[UnaryExpression[Any]]:
    column = Trade.__table__.columns[page.sort_by]
    key = column.desc() if page.descending else column.asc()
    if column.nullable:  # LEGACY-PARITY: Q12, NULL sorts lowest
        key = key.nulls_last() if page.descending else key.nulls_first()
    ties_downwards = page.descending and page.sort_by in _READ_BACKWARDS and not filtered_by_strategy
    return [key, Trade.id.desc() if ties_downwards else Trade.id.asc()]
