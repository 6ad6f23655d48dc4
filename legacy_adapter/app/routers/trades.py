"""`/api/trades` (contract section 4.2). The order of the routes decides the `Allow` header."""

from datetime import datetime

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy.orm import Session

from legacy_adapter.app.database import get_db
from legacy_adapter.app.models import Trade, TradeStatus
from legacy_adapter.app.schemas import (
    DashboardSummary,
    PortfolioMetrics,
    TickerPerformance,
    TradeCreate,
    TradeListResponse,
    TradeResponse,
    TradeUpdate,
)
from legacy_adapter.app.services import metrics, trades
from legacy_adapter.app.settings import get_settings

router = APIRouter()


@router.post("/", response_model=TradeResponse, status_code=201)
def create_trade(trade: TradeCreate, db: Session = Depends(get_db)) -> TradeResponse:
    """Records a new trade."""
    try:
        return trades.create_trade(db, trade)
    except ValueError as error:
        # LEGACY-PARITY: Q1, a row that does not fit its own answer is committed all the same.
        raise HTTPException(status_code=400, detail=str(error)) from error


@router.get("/", response_model=TradeListResponse)
def list_trades(  # noqa: PLR0917 - a query parameter each
    page: int = Query(1, ge=1),
    page_size: int = Query(get_settings().DEFAULT_PAGE_SIZE, ge=1, le=get_settings().MAX_PAGE_SIZE),
    ticker: str | None = Query(None),
    status: str | None = Query(None),
    strategy: str | None = Query(None),
    start_date: datetime | None = Query(None),
    end_date: datetime | None = Query(None),
    sort_by: str = Query("entry_date"),
    sort_desc: bool = Query(True),
    db: Session = Depends(get_db),
) -> TradeListResponse:
    """One page of trades."""
    filters = trades.TradeFilters(
        ticker=ticker,
        status=status,
        strategy=strategy,
        start_date=start_date,
        end_date=end_date,
        sort_by=sort_by,
        sort_desc=sort_desc,
    )
    return trades.list_trades(db, filters, page, page_size)


@router.get("/{trade_id}", response_model=TradeResponse)
def read_trade(trade_id: int, db: Session = Depends(get_db)) -> TradeResponse:
    """One trade by its internal id."""
    return TradeResponse.model_validate(_existing(db, trade_id))


@router.patch("/{trade_id}", response_model=TradeResponse)
def update_trade(trade_id: int, trade_update: TradeUpdate, db: Session = Depends(get_db)) -> TradeResponse:
    """Changes what the body gives."""
    return trades.update_trade(db, _existing(db, trade_id), trade_update)


@router.post("/{trade_id}/close", response_model=TradeResponse)
def close_trade(
    trade_id: int,
    exit_price: float = Query(..., gt=0),
    exit_date: datetime | None = Query(None),
    db: Session = Depends(get_db),
) -> TradeResponse:
    """Closes an open trade."""
    trade = trades.find_trade(db, trade_id)
    if trade is None or trade.status != TradeStatus.OPEN:
        raise HTTPException(status_code=404, detail=f"Trade with ID {trade_id} not found or already closed")
    return trades.close_trade(db, trade, exit_price, exit_date)


@router.delete("/{trade_id}", status_code=204)
def delete_trade(trade_id: int, db: Session = Depends(get_db)) -> None:
    """Deletes a trade."""
    trades.delete_trade(db, _existing(db, trade_id))


@router.get("/metrics/portfolio", response_model=PortfolioMetrics)
def read_portfolio_metrics(
    initial_capital: float = Query(100000.0, gt=0), db: Session = Depends(get_db)
) -> PortfolioMetrics:
    """Totals over all trades."""
    return metrics.portfolio_metrics(db, initial_capital)


@router.get("/metrics/dashboard", response_model=DashboardSummary)
def read_dashboard_metrics(
    initial_capital: float = Query(100000.0, gt=0), db: Session = Depends(get_db)
) -> DashboardSummary:
    """Totals, latest trades and recent gains."""
    return metrics.dashboard_summary(db, initial_capital)


@router.get("/metrics/by-ticker", response_model=list[TickerPerformance])
def read_ticker_performance(db: Session = Depends(get_db)) -> list[TickerPerformance]:
    """Closed trades by ticker."""
    return metrics.ticker_performance(db)


@router.get("/utils/generate-id")
def generate_trade_id(prefix: str = Query("TRD"), db: Session = Depends(get_db)) -> dict[str, str]:
    """A label for the next trade; reserves nothing."""
    return {"trade_id": trades.next_trade_id(db, prefix)}


def _existing(db: Session, trade_id: int) -> Trade:
    trade = trades.find_trade(db, trade_id)
    if trade is None:
        raise HTTPException(status_code=404, detail=f"Trade with ID {trade_id} not found")
    return trade
