"""/api/trades: the trade journal and its figures.

The order of the routes is part of the contract: `Allow` names the verbs of the first route that matches a path.
"""

import math
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import TypeAdapter

from target.auth import guard_write
from target.database.models import Trade
from target.database.session import AsyncDb, Snapshot
from target.errors import InvalidInput, TradeNotClosable, TradeNotFound
from target.repositories.trades import TradeFilter, TradeRepository
from target.routers.answers import may_answer
from target.routers.parameters import ListParameters
from target.routers.second_stage import hold_to
from target.schemas.fields import NaiveTime, PositiveFigure, RowId, TradeStatus
from target.schemas.metrics import DashboardMetrics, PortfolioMetrics, TickerMetrics
from target.schemas.trades import GeneratedId, TradeCreate, TradePage, TradeResponse, TradeUpdate
from target.services.metrics import Portfolio, compute_by_ticker, compute_portfolio, pnl_since, windows_at
from target.services.pnl import Pnl, Position, compute_pnl

router = APIRouter(prefix="/api/trades", tags=["trades"], responses=may_answer(503))

Capital = Annotated[float, Query(gt=0)]
_DASHBOARD_TRADES = 10
_NEW_TRADE = TypeAdapter(TradeCreate)
_UPDATE = TypeAdapter(TradeUpdate)
_PRICE: TypeAdapter[float] = TypeAdapter(PositiveFigure)
_ROW_ID: TypeAdapter[int] = TypeAdapter(RowId)
_guarded = [Depends(guard_write)]


def _trades(session: AsyncDb) -> TradeRepository:
    return TradeRepository(session)


def _trades_of_one_moment(session: Snapshot) -> TradeRepository:
    return TradeRepository(session)


Trades = Annotated[TradeRepository, Depends(_trades)]
TradesOfOneMoment = Annotated[TradeRepository, Depends(_trades_of_one_moment)]
"""For an answer that is put together from several reads."""


@router.post("/", status_code=201, response_model=TradeResponse, dependencies=_guarded, responses=may_answer(400, 401))
async def create_trade(body: TradeCreate, trades: Trades, request: Request) -> Trade:
    """Insert one trade; it is open whatever the body says."""
    await trades.refuse_taken(body.trade_id)
    new = hold_to(_NEW_TRADE, await request.json(), "body")
    return await trades.add({**new.model_dump(), "status": TradeStatus.OPEN})


@router.get("/", response_model=TradePage)
async def list_trades(trades: TradesOfOneMoment, query: ListParameters) -> dict[str, object]:
    """List one page of the trades that match."""
    total = await trades.count(query.wanted)
    return {
        "trades": await trades.list_page(query.wanted, query.stretch),
        "total": total,
        "page": query.page,
        "page_size": query.page_size,
        "total_pages": max(1, -(-total // query.page_size)),
    }


@router.get("/{trade_id}", response_model=TradeResponse, responses=may_answer(404))
async def get_trade(trade_id: RowId, trades: Trades, request: Request) -> Trade:
    """Return one trade by its row id."""
    return _present(await _find(request, trades), trade_id)


@router.patch("/{trade_id}", response_model=TradeResponse, dependencies=_guarded, responses=may_answer(400, 401, 404))
async def update_trade(trade_id: RowId, body: TradeUpdate, trades: Trades, request: Request) -> Trade:
    """Change the fields that the body has.

    LEGACY-PARITY: Q8, profit is computed only where this body closes the trade with a price, is kept when the trade
    is reopened, and the exit date is never filled in.
    """
    trade = _present(await _find(request, trades, for_update=True), trade_id)
    body = hold_to(_UPDATE, await request.json(), "body")
    changes = body.model_dump(exclude_unset=True)
    if changes.get("status") == TradeStatus.CLOSED and body.exit_price:
        pnl = _pnl_of(trade, body.exit_price, ("body", "exit_price"))
        changes |= {"pnl": pnl.amount, "pnl_percent": pnl.percent}
    await trades.change(trade, changes)
    return trade


@router.post("/{trade_id}/close", response_model=TradeResponse, dependencies=_guarded, responses=may_answer(401, 404))
async def close_trade(
    request: Request, trade_id: RowId, trades: Trades, exit_price: PositiveFigure, exit_date: NaiveTime | None = None
) -> Trade:
    """Close an open trade at a price, now unless a date is given."""
    trade = await _find(request, trades, for_update=True)
    if trade is None or trade.status != TradeStatus.OPEN:
        raise TradeNotClosable(trade_id)
    exit_price = hold_to(_PRICE, request.query_params["exit_price"], "query", "exit_price")
    pnl = _pnl_of(trade, exit_price, ("query", "exit_price"))
    await trades.change(
        trade,
        {
            "exit_price": exit_price,
            "exit_date": exit_date or _utc_now(),
            "status": TradeStatus.CLOSED,
            "pnl": pnl.amount,
            "pnl_percent": pnl.percent,
        },
    )
    return trade


@router.delete("/{trade_id}", status_code=204, dependencies=_guarded, responses=may_answer(401, 404))
async def delete_trade(trade_id: RowId, trades: Trades, request: Request) -> None:
    """Delete one trade."""
    await trades.remove(_present(await _find(request, trades, for_update=True), trade_id))


@router.get("/metrics/portfolio", response_model=PortfolioMetrics)
async def get_portfolio(request: Request, trades: Trades, initial_capital: Capital = 100000.0) -> Portfolio:
    """Return the portfolio's totals."""
    return await _portfolio(request, trades, initial_capital)


@router.get("/metrics/dashboard", response_model=DashboardMetrics)
async def get_dashboard(
    request: Request, trades: TradesOfOneMoment, initial_capital: Capital = 100000.0
) -> dict[str, object]:
    """Return the totals, the latest trades, and what closed today, this week and this month (UTC)."""
    now = _utc_now()
    windows = windows_at(now)
    exits = await trades.list_exits(windows.earliest, now)
    return {
        "portfolio": await _portfolio(request, trades, initial_capital),
        "recent_trades": await trades.list_recent(_DASHBOARD_TRADES),
        "open_positions": await trades.count(TradeFilter(status=TradeStatus.OPEN)),
        "today_pnl": pnl_since(windows.day, exits),
        "week_pnl": pnl_since(windows.week, exits),
        "month_pnl": pnl_since(windows.month, exits),
        "last_updated": now,
    }


@router.get("/metrics/by-ticker", response_model=list[TickerMetrics])
async def list_by_ticker(trades: Trades) -> list[object]:
    """Return the closed trades' totals by ticker, tickers in byte order."""
    return [*compute_by_ticker(await trades.list_closed_pnl())]


@router.get("/utils/generate-id", response_model=GeneratedId)
async def generate_id(trades: Trades, prefix: str = "TRD") -> dict[str, str]:
    """Propose a trade_id from today's date (UTC) and the number of trades; it reserves nothing."""
    return {"trade_id": f"{prefix}-{_utc_now():%Y%m%d}-{await trades.count() + 1:04d}"}


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


async def _find(request: Request, trades: TradeRepository, *, for_update: bool = False) -> Trade | None:
    """Return the trade that the path names; refuse an id that the database cannot be asked for (Q5)."""
    row_id = hold_to(_ROW_ID, request.path_params["trade_id"], "path", "trade_id")
    return await trades.find(row_id, for_update=for_update)


def _present(trade: Trade | None, trade_id: int) -> Trade:
    if trade is None:
        raise TradeNotFound(trade_id)
    return trade


def _pnl_of(trade: Trade, exit_price: float, location: tuple[str, str]) -> Pnl:
    pnl = compute_pnl(
        Position(
            direction=trade.direction,
            quantity=trade.quantity,
            entry_price=trade.entry_price,
            exit_price=exit_price,
            commission=trade.commission or 0.0,
        )
    )
    if not (math.isfinite(pnl.amount) and math.isfinite(pnl.percent)):
        raise InvalidInput(
            location=location,
            kind="finite_result",
            message="Input leads to a profit beyond double precision",
            given=exit_price,
        )
    return pnl


async def _portfolio(request: Request, trades: TradeRepository, capital: float) -> Portfolio:
    """Compute the totals; refuse a capital by which they cannot be expressed (Q5)."""
    if not math.isfinite(capital):
        raise _unusable_capital(request, "finite_number", "Input should be a finite number")
    portfolio = compute_portfolio(await trades.list_figures(), capital)
    if math.isfinite(portfolio.total_pnl) and not math.isfinite(portfolio.total_return):
        raise _unusable_capital(request, "finite_result", "Input leads to a return beyond double precision")
    return portfolio


def _unusable_capital(request: Request, kind: str, message: str) -> InvalidInput:
    given = request.query_params.get("initial_capital")
    return InvalidInput(location=("query", "initial_capital"), kind=kind, message=message, given=given)
