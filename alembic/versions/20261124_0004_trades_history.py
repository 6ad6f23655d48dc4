"""trades_history: every version of a trade that an update or a delete has ended, kept by triggers (ADR 7)."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_0004"
down_revision = "20261124_0003"
branch_labels = None
depends_on = None

_COPIED = (
    "id", "trade_id", "ticker", "asset_name", "asset_class", "direction", "quantity", "entry_price", "exit_price",
    "commission", "currency", "entry_date", "exit_date", "pnl", "pnl_percent", "strategy_name", "signal_score",
    "status", "notes", "created_at", "updated_at", "knowledge_timestamp",
)  # fmt: skip
_EVENT = "coalesce(OLD.event_timestamp, CASE WHEN OLD.status = 'CLOSED' THEN OLD.exit_date END, OLD.entry_date)"
_KNOWN_FROM = "coalesce((SELECT max(known_until) FROM trades_history WHERE id = OLD.id), OLD.knowledge_timestamp)"
# Microseconds, and read while the row is locked: the versions of one trade follow each other without a gap.
_NOW = {"postgresql": "timezone('utc', clock_timestamp())", "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now')"}


def upgrade() -> None:
    """Create the table and the triggers that fill it."""
    _create_table()
    if _dialect() == "postgresql":
        op.execute(
            "CREATE FUNCTION keep_trade_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF TG_OP = 'UPDATE' AND OLD IS NOT DISTINCT FROM NEW THEN RETURN NULL; END IF; "
            f"{_keep('TG_OP')}; RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER trades_versions AFTER UPDATE OR DELETE ON trades "
            "FOR EACH ROW EXECUTE FUNCTION keep_trade_version()"
        )
        return
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in (*_COPIED, "event_timestamp"))
    for verb, condition in (("UPDATE", f"WHEN {changed} "), ("DELETE", "")):
        op.execute(
            f"CREATE TRIGGER trades_versions_{verb.lower()} AFTER {verb} ON trades FOR EACH ROW {condition}"
            f"BEGIN {_keep(repr(verb))}; END"
        )


def downgrade() -> None:
    """Drop the triggers, the table and the versions in it."""
    if _dialect() == "postgresql":
        op.execute("DROP TRIGGER trades_versions ON trades")
        op.execute("DROP FUNCTION keep_trade_version()")
    else:
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER trades_versions_{verb}")
    op.drop_table("trades_history")


def _dialect() -> str:
    return op.get_context().dialect.name


def _keep(verb: str) -> str:
    """The statement that copies the version that ends."""
    names = ", ".join((*_COPIED, "event_timestamp", "known_from", "known_until", "ended_by"))
    copied = ", ".join(f"OLD.{name}" for name in _COPIED)
    values = f"{copied}, {_EVENT}, {_KNOWN_FROM}, {_NOW[_dialect()]}, {verb}"
    return f"INSERT INTO trades_history ({names}) VALUES ({values})"  # noqa: S608 - constants


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    collation = "C" if _dialect() == "postgresql" else None
    return sa.String(length, collation=collation) if length else sa.Text(collation=collation)


def _create_table() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "trades_history",
        sa.Column("version_id", row_id, sa.Identity(), primary_key=True),
        sa.Column("id", row_id, nullable=False),
        sa.Column("trade_id", _text(50), nullable=False),
        sa.Column("ticker", _text(20), nullable=False),
        sa.Column("asset_name", _text(100)),
        sa.Column("asset_class", _text(50)),
        sa.Column("direction", _text(4), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("entry_price", sa.Float(), nullable=False),
        sa.Column("exit_price", sa.Float()),
        sa.Column("commission", sa.Float()),
        sa.Column("currency", _text(3)),
        sa.Column("entry_date", sa.DateTime(), nullable=False),
        sa.Column("exit_date", sa.DateTime()),
        sa.Column("pnl", sa.Float()),
        sa.Column("pnl_percent", sa.Float()),
        sa.Column("strategy_name", _text(100)),
        sa.Column("signal_score", sa.Float()),
        sa.Column("status", _text(9)),
        sa.Column("notes", _text()),
        sa.Column("created_at", sa.DateTime()),
        sa.Column("updated_at", sa.DateTime()),
        sa.Column("knowledge_timestamp", sa.DateTime(), nullable=False),
        sa.Column("event_timestamp", sa.DateTime(), nullable=False),
        sa.Column("known_from", sa.DateTime(), nullable=False),
        sa.Column("known_until", sa.DateTime(), nullable=False),
        sa.Column("ended_by", _text(6), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trades_history_id", "trades_history", ["id", "known_until"])
    op.create_index("ix_trades_history_bitemporal", "trades_history", ["known_from", "event_timestamp"])
