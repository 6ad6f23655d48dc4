"""The deterministic database of 100 trades that everything starts from when no legacy file is given."""

import random
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from legacy_adapter.seed_schema import legacy_ddl

TRADES = 100
_OPEN_TRADES = 11
_SEED = 20260130
_FIRST_DAY = datetime(2025, 2, 3, 9, 0)  # noqa: DTZ001 - the legacy stores naive times
_LAST_DAY = datetime(2026, 1, 28, 9, 0)  # noqa: DTZ001
_CREATED_AT = "2026-01-30 00:00:00"
_COMMISSION = 3.0

_ASSETS = (
    ("VAS.AX", "Vanguard Australian Shares", "AU_EQUITY", 95.0),
    ("VGS.AX", "Vanguard International Shares", "AU_EQUITY", 118.0),
    ("VAF.AX", "Vanguard Australian Fixed Interest", "AU_BONDS", 46.0),
    ("IVV.AX", "iShares S&P 500", "AU_EQUITY", 340.0),
    ("SPY", "SPDR S&P 500 ETF", "US_EQUITY", 560.0),
    ("QQQ", "Invesco QQQ", "US_EQUITY", 480.0),
    ("TLT", "US Long Treasuries", "US_BONDS", 96.0),
    ("GLD", "Gold Trust", "COMMODITY", 230.0),
)
_STRATEGIES = ("dual_momentum", "momentum", "hrp", "quallamaggie")


def write_seed_database(path: Path, *, older_generation: bool = False) -> None:
    """Writes the seed to `path`, which must not exist yet; the same bytes of data every time.

    Raises:
        FileExistsError: something is there already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(exist_ok=False)
    rows = seed_trades()
    if older_generation:
        rows = [{name: row[name] for name in row if not name.endswith("_timestamp")} for row in rows]
    names = ", ".join(rows[0])
    slots = ", ".join(f":{name}" for name in rows[0])
    with closing(sqlite3.connect(path)) as database:
        for statement in legacy_ddl(older_generation=older_generation):
            database.execute(statement)
        database.executemany(f"INSERT INTO trades ({names}) VALUES ({slots})", rows)  # noqa: S608 - our own names
        database.commit()


def seed_trades() -> list[dict[str, object]]:
    """The 100 trades as the legacy's own seed would have stored them, P&L rounded to cents (contract Q9)."""
    draw = random.Random(_SEED)  # noqa: S311 - reproducible on purpose
    still_open = set(draw.sample(range(1, TRADES + 1), _OPEN_TRADES))
    return [_trade(draw, number, is_open=number in still_open) for number in range(1, TRADES + 1)]


def _trade(draw: random.Random, number: int, *, is_open: bool) -> dict[str, object]:
    ticker, asset_name, asset_class, price = draw.choice(_ASSETS)
    entered = _FIRST_DAY + timedelta(days=draw.randrange((_LAST_DAY - _FIRST_DAY).days))
    row: dict[str, object] = {
        "id": number,
        "trade_id": f"TRD-{entered:%Y%m%d}-{number:04d}",
        "ticker": ticker,
        "asset_name": asset_name,
        "asset_class": asset_class,
        "direction": "SELL" if draw.random() < 0.1 else "BUY",
        "quantity": float(draw.randint(5, 50)),
        "entry_price": round(price * draw.uniform(0.85, 1.15), 2),
        "commission": _COMMISSION,
        "currency": "AUD",
        "entry_date": _text(entered),
        "strategy_name": draw.choice(_STRATEGIES),
        "signal_score": round(draw.uniform(0.5, 0.95), 3),
        "status": "OPEN" if is_open else "CLOSED",
        "notes": f"Seeded trade {number}",
        "created_at": _CREATED_AT,
        "updated_at": _CREATED_AT,
        "knowledge_timestamp": _CREATED_AT,
        "event_timestamp": None,
    }
    move, days = draw.uniform(-0.08, 0.16), draw.randint(2, 45)  # drawn for open trades too: ids stay independent
    row.update(dict.fromkeys(("exit_price", "exit_date", "pnl", "pnl_percent")) if is_open else _exit(row, move))
    if not is_open:
        row["exit_date"] = _text(min(entered + timedelta(days=days), _LAST_DAY))
    return row


def _exit(row: dict[str, object], move: float) -> dict[str, object]:
    entry, quantity = float(str(row["entry_price"])), float(str(row["quantity"]))
    price = round(entry * (1 + move), 2)
    gain = price - entry if row["direction"] == "BUY" else entry - price
    # The percentage is of the price alone; only the amount is net of commission.
    return {
        "exit_price": price,
        "pnl": round(gain * quantity - _COMMISSION, 2),
        "pnl_percent": round(gain / entry * 100, 2),
    }


def _text(moment: datetime) -> str:
    """As the legacy's ORM stores times: six digits of fraction, always."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
