"""What the stored backtests say about their strategies."""

from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.jobs import Backtest

MOST_BACKTESTS = 1_000
"""So many of the latest are looked at; what is older counts neither as a result nor as a trial."""


class StoredEvidence(NamedTuple):
    """One backtest; `evidence` has the fields of `quant.backtest.Evidence`, None where one was not finite."""

    strategy_name: str
    evidence: dict[str, Any]


async def list_evidence(session: AsyncSession) -> list[StoredEvidence]:
    """Return the evidence of the latest backtests, the newest first."""
    statement = select(Backtest.strategy_name, Backtest.evidence).order_by(Backtest.id.desc()).limit(MOST_BACKTESTS)
    return [StoredEvidence(*row) for row in await session.execute(statement)]
