"""Writes daily prices: COPY into a temporary table, then one merge. PostgreSQL only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_KEY = ("ticker", "date")
_VALUES = ("open", "high", "low", "close", "volume", "adjusted_close", "source")
COLUMNS = (*_KEY, *_VALUES, "data_quality")

_STAGE = text(
    "CREATE TEMPORARY TABLE staged_prices ON COMMIT DROP AS"  # noqa: S608 - column names of this file
    f" SELECT {', '.join(COLUMNS)} FROM market_data WITH NO DATA"
)
# A flag is never lowered: of the kept and the staged one, the worse stays.
_WORSE = """
CASE WHEN 'bad' IN (kept.data_quality, EXCLUDED.data_quality) THEN 'bad'
     WHEN 'suspect' IN (kept.data_quality, EXCLUDED.data_quality) THEN 'suspect'
     ELSE 'good' END
"""
_KEPT = ", ".join(f"kept.{name}" for name in (*_VALUES, "data_quality"))
_STAGED = ", ".join(f"EXCLUDED.{name}" for name in _VALUES)
# Ordered, so that two merges at once lock rows in the same order. A row that was there has a transaction in xmax,
# the one that locked it; a new row has none.
_MERGE = text(f"""
WITH merged AS (
    INSERT INTO market_data AS kept ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM staged_prices ORDER BY ticker, date
    ON CONFLICT (ticker, date) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _VALUES)}, data_quality = {_WORSE}
    WHERE ({_KEPT}) IS DISTINCT FROM ({_STAGED}, {_WORSE})
    RETURNING kept.xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS inserted, count(*) FILTER (WHERE NOT is_new) AS changed FROM merged
""")  # noqa: S608 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRows:
    """What became of the rows; `unchanged` ones were there already and were not touched."""

    inserted: int
    changed: int
    unchanged: int


class MarketDataRepository:
    """Writes prices within the transaction of one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def merge(self, rows: Sequence[tuple[object, ...]]) -> MergedRows:
        """Write rows of `COLUMNS`, each key once.

        A row that would not change is not written: neither its `updated_at` nor its place on disk moves.
        """
        await self._session.execute(_STAGE)
        await self._copy(rows)
        inserted, changed = (await self._session.execute(_MERGE)).one()
        return MergedRows(inserted=inserted, changed=changed, unchanged=len(rows) - inserted - changed)

    async def _copy(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Below SQLAlchemy, which has no COPY, on the connection and within the transaction of the session."""
        pooled = await (await self._session.connection()).get_raw_connection()
        driver = pooled.driver_connection
        assert driver is not None  # noqa: S101 - it has just executed a statement
        await driver.copy_records_to_table("staged_prices", records=rows, columns=COLUMNS)
