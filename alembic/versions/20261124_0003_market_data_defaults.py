"""market_data as its own SQL file has it: defaults of the server, JSONB with an index, views and functions.

PostgreSQL alone; SQLite has no such table. Source: contract section 2, market_data.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124_0003"
down_revision = "20261124_0002"
branch_labels = None
depends_on = None

_LATEST_VIEW = """
CREATE VIEW market_data_latest AS
SELECT DISTINCT ON (ticker) ticker, date, open, high, low, close, volume, adjusted_close, source, data_quality,
       updated_at, current_date - date AS days_stale
FROM market_data ORDER BY ticker, date DESC
"""
_QUALITY_VIEW = """
CREATE VIEW market_data_quality_summary AS
SELECT ticker,
       count(*) AS total_rows,
       count(*) FILTER (WHERE data_quality = 'good') AS good_rows,
       count(*) FILTER (WHERE data_quality = 'suspect') AS suspect_rows,
       count(*) FILTER (WHERE data_quality = 'bad') AS bad_rows,
       min(date) AS first_date,
       max(date) AS last_date
FROM market_data GROUP BY ticker
"""
_LATEST_CLOSE_FUNCTION = """
CREATE FUNCTION get_latest_close(wanted varchar) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT close FROM market_data WHERE ticker = wanted ORDER BY date DESC LIMIT 1
$$
"""
_DATE_RANGE_FUNCTION = """
CREATE FUNCTION get_ticker_date_range(wanted varchar)
RETURNS TABLE (first_date date, last_date date, row_count bigint) LANGUAGE sql STABLE AS $$
    SELECT min(date), max(date), count(*) FROM market_data WHERE ticker = wanted
$$
"""
_DEFAULTS = {"source": "yfinance", "data_quality": "good"}


def upgrade() -> None:
    """Give what is missing its default first, so that no old row is without one."""
    if op.get_context().dialect.name != "postgresql":
        return
    for column, default in _DEFAULTS.items():
        op.execute(f"UPDATE market_data SET {column} = '{default}' WHERE {column} IS NULL")  # noqa: S608 - constants
        op.alter_column("market_data", column, server_default=default)
    op.execute("UPDATE market_data SET metadata = '{}' WHERE metadata IS NULL")
    _retype_metadata(postgresql.JSONB(), default=sa.text("'{}'::jsonb"))
    op.create_index("ix_market_data_metadata", "market_data", ["metadata"], postgresql_using="gin")
    # A NaN passes every other check: PostgreSQL holds it to be greater than any number.
    op.create_check_constraint(
        "valid_numbers",
        "market_data",
        "'NaN' NOT IN (open, high, low, close) AND adjusted_close IS DISTINCT FROM 'NaN'",
    )
    for statement in (_LATEST_VIEW, _QUALITY_VIEW, _LATEST_CLOSE_FUNCTION, _DATE_RANGE_FUNCTION):
        op.execute(statement)


def downgrade() -> None:
    """Take away what `upgrade` made; filled-in values stay."""
    if op.get_context().dialect.name != "postgresql":
        return
    for name in ("get_ticker_date_range(varchar)", "get_latest_close(varchar)"):
        op.execute(f"DROP FUNCTION {name}")
    for name in ("market_data_quality_summary", "market_data_latest"):
        op.execute(f"DROP VIEW {name}")
    op.drop_constraint("valid_numbers", "market_data", type_="check")
    op.drop_index("ix_market_data_metadata", "market_data")
    _retype_metadata(sa.JSON(), default=None)
    for column in _DEFAULTS:
        op.alter_column("market_data", column, server_default=None)


def _retype_metadata(kind: sa.types.TypeEngine[object], *, default: sa.TextClause | None) -> None:
    # The default goes first: PostgreSQL would not cast it along with the column.
    op.alter_column("market_data", "metadata", server_default=None)
    using = f"metadata::{'jsonb' if isinstance(kind, postgresql.JSONB) else 'json'}"
    op.alter_column("market_data", "metadata", type_=kind, postgresql_using=using)
    if default is not None:
        op.alter_column("market_data", "metadata", server_default=default)
