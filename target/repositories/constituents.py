"""Every statement on the table of index memberships."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.models import IndexConstituent


class ConstituentRepository:
    """Reads who belonged to an index when, so that a test of the past does not know the future."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_members_at(self, index_name: str, moment: datetime) -> Sequence[str]:
        """Return the tickers of the latest list at or before `moment` (naive UTC), in byte order, each once.

        LEGACY-PARITY: contract section 2, a list is all rows that share a start date; `end_date` is not asked.
        """
        of_index = IndexConstituent.index_name == index_name
        latest = (
            select(func.max(IndexConstituent.start_date))
            .where(of_index, IndexConstituent.start_date <= moment)
            .scalar_subquery()
        )
        statement = (
            select(IndexConstituent.ticker)
            .where(of_index, IndexConstituent.start_date == latest)
            .distinct()
            .order_by(IndexConstituent.ticker)
        )
        return (await self._session.scalars(statement)).all()
