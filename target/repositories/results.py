"""Every statement that reads what backtests and scans came to."""

from collections.abc import Sequence

from sqlalchemy import false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.jobs import Backtest, Scan


class BacktestRepository:
    """Reads backtests; the worker adds them together with their job's completion."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_latest(self, strategy_name: str) -> Backtest | None:
        """Return the strategy's backtest that completed last."""
        statement = (
            select(Backtest).where(Backtest.strategy_name == strategy_name).order_by(Backtest.id.desc()).limit(1)
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def list_latest(self) -> Sequence[Backtest]:
        """Return the backtest of each strategy that completed last, by strategy name."""
        latest = select(func.max(Backtest.id)).group_by(Backtest.strategy_name)
        statement = select(Backtest).where(Backtest.id.in_(latest)).order_by(Backtest.strategy_name)
        return (await self._session.scalars(statement)).all()


class ScanRepository:
    """Reads scans; the worker adds them together with their job's completion."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_latest(self, scanner_type: str | None = None) -> Scan | None:
        """Return the scan that completed last, of this type where one is named."""
        statement = select(Scan).order_by(Scan.id.desc()).limit(1)
        if scanner_type is not None:
            # No stored text holds a NUL, and PostgreSQL refuses to be asked for one.
            statement = statement.where(false() if "\x00" in scanner_type else Scan.scanner_type == scanner_type)
        return (await self._session.scalars(statement)).one_or_none()
