"""The versions of a trade that an update or a delete has ended; triggers of the database write them (ADR 7)."""

from sqlalchemy import Column, DateTime, Identity, Index, Table

from target.database.models import Base, Trade
from target.database.types import ROW_ID, byte_ordered

_ALWAYS_KNOWN = frozenset({"event_timestamp"})

TRADES_HISTORY = Table(
    "trades_history",
    Base.metadata,
    Column("version_id", ROW_ID, Identity(), primary_key=True),
    *(
        Column(column.name, column.type, nullable=column.nullable and column.name not in _ALWAYS_KNOWN)
        for column in Trade.__table__.columns
    ),
    Column("known_from", DateTime, nullable=False),
    Column("known_until", DateTime, nullable=False),
    Column("ended_by", byte_ordered(6), nullable=False),
    Index("ix_trades_history_id", "id", "known_until"),
    Index("ix_trades_history_bitemporal", "known_from", "event_timestamp"),
    sqlite_autoincrement=True,
)
"""`id` is the trade's own; `known_from` and `known_until` bound when the version was the one that the database held,
the first included; `ended_by` is UPDATE or DELETE."""
