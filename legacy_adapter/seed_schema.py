"""The legacy database's schema, in both generations that exist in the field.

Source: legacy contract §2. The older generation has neither the bi-temporal columns nor `index_constituents`.
"""

_TRADES = """
CREATE TABLE trades (
    id INTEGER NOT NULL,
    trade_id VARCHAR(50) NOT NULL,
    ticker VARCHAR(20) NOT NULL,
    asset_name VARCHAR(100),
    asset_class VARCHAR(50),
    direction VARCHAR(4) NOT NULL,
    quantity FLOAT NOT NULL,
    entry_price FLOAT NOT NULL,
    exit_price FLOAT,
    commission FLOAT,
    currency VARCHAR(3),
    entry_date DATETIME NOT NULL,
    exit_date DATETIME,
    pnl FLOAT,
    pnl_percent FLOAT,
    strategy_name VARCHAR(100),
    signal_score FLOAT,
    status VARCHAR(9),
    notes TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME DEFAULT CURRENT_TIMESTAMP,{bitemporal}
    PRIMARY KEY (id)
)"""

_SNAPSHOTS = """
CREATE TABLE portfolio_snapshots (
    id INTEGER NOT NULL,
    snapshot_date DATETIME NOT NULL,
    total_value FLOAT NOT NULL,
    cash_balance FLOAT NOT NULL,
    invested_value FLOAT NOT NULL,
    daily_return FLOAT,
    cumulative_return FLOAT,
    volatility_21d FLOAT,
    sharpe_ratio_21d FLOAT,
    max_drawdown FLOAT,
    num_positions INTEGER,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,{bitemporal}
    PRIMARY KEY (id)
)"""

_CONSTITUENTS = """
CREATE TABLE index_constituents (
    id INTEGER NOT NULL,
    ticker VARCHAR(20) NOT NULL,
    index_name VARCHAR(20) NOT NULL,
    start_date DATETIME NOT NULL,
    end_date DATETIME,
    active BOOLEAN,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id)
)"""

_BITEMPORAL = """
    knowledge_timestamp DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    event_timestamp DATETIME,"""

# In the order in which a real database has them: SQLite's planner takes the youngest of equally good indices, and
# the order of ties and of sums follows from its choice.
_INDICES = (
    "CREATE INDEX ix_trades_date_range ON trades (entry_date, exit_date)",
    "CREATE INDEX ix_trades_entry_date ON trades (entry_date)",
    "CREATE INDEX ix_trades_ticker_date ON trades (ticker, entry_date)",
    "CREATE UNIQUE INDEX ix_trades_trade_id ON trades (trade_id)",
    "CREATE INDEX ix_trades_strategy_name ON trades (strategy_name)",
    "CREATE INDEX ix_trades_strategy_status ON trades (strategy_name, status)",
    "CREATE INDEX ix_trades_ticker ON trades (ticker)",
    "CREATE INDEX ix_snapshot_date ON portfolio_snapshots (snapshot_date)",
)

_FIRST_LATER_INDICES = ("CREATE INDEX ix_trades_bitemporal ON trades (knowledge_timestamp, event_timestamp)",)
_LATER_INDICES = (
    "CREATE INDEX ix_snapshot_bitemporal ON portfolio_snapshots (knowledge_timestamp, event_timestamp)",
    "CREATE INDEX ix_portfolio_snapshots_snapshot_date ON portfolio_snapshots (snapshot_date)",
    "CREATE INDEX ix_index_constituents_ticker ON index_constituents (ticker)",
    "CREATE INDEX ix_constituents_lookup ON index_constituents (index_name, start_date, end_date)",
    "CREATE INDEX ix_index_constituents_start_date ON index_constituents (start_date)",
    "CREATE INDEX ix_index_constituents_index_name ON index_constituents (index_name)",
)
_OLDER_INDICES = ("CREATE INDEX ix_portfolio_snapshots_snapshot_date ON portfolio_snapshots (snapshot_date)",)


def legacy_ddl(*, older_generation: bool = False) -> tuple[str, ...]:
    """The statements that make an empty legacy database."""
    bitemporal = "" if older_generation else _BITEMPORAL
    tables = (_TRADES.format(bitemporal=bitemporal), _SNAPSHOTS.format(bitemporal=bitemporal))
    if older_generation:
        return (*tables, *_INDICES, *_OLDER_INDICES)
    return (*tables, _CONSTITUENTS, *_FIRST_LATER_INDICES, *_INDICES, *_LATER_INDICES)
