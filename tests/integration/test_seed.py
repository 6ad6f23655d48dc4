"""The seed database: the same every time, and shaped as the legacy's own."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from legacy_adapter.seed import write_seed_database

_SEEDED = Path(__file__).resolve().parents[2] / ".." / "shared" / "legacy" / "seeded_trades.db"


def _query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        return database.execute(sql).fetchall()


def _columns(path: Path, table: str) -> list[tuple[object, ...]]:
    return _query(path, f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')")


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A fresh seed."""
    path = tmp_path / "data" / "trades.db"
    write_seed_database(path)
    return path


def test_it_holds_a_hundred_trades_of_which_eleven_are_open(seed: Path) -> None:
    counts = dict(_query(seed, "SELECT status, count(*) FROM trades GROUP BY status"))
    assert counts == {"CLOSED": 89, "OPEN": 11}
    half_closed = "SELECT count(*) FROM trades WHERE (status = 'OPEN') <> (exit_price IS NULL AND exit_date IS NULL)"
    assert _query(seed, half_closed) == [(0,)]


def test_it_is_the_same_every_time(seed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.db"
    write_seed_database(again)
    assert _query(seed, "SELECT * FROM trades") == _query(again, "SELECT * FROM trades")


def test_an_existing_file_is_never_overwritten(seed: Path) -> None:
    with pytest.raises(FileExistsError):
        write_seed_database(seed)


def test_its_profit_follows_from_its_prices(seed: Path) -> None:
    rows = _query(seed, "SELECT direction, quantity, entry_price, exit_price, commission, pnl FROM trades"
                        " WHERE status = 'CLOSED'")  # fmt: skip
    for direction, quantity, entry, exit_price, commission, pnl in rows:
        gain = (exit_price - entry) * (1 if direction == "BUY" else -1)  # type: ignore[operator]
        assert pnl == round(gain * quantity - commission, 2)


def test_the_older_generation_lacks_what_came_later(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    write_seed_database(path, older_generation=True)
    names = {name for name, *_ in _columns(path, "trades")}
    assert not {"knowledge_timestamp", "event_timestamp"} & names
    assert _query(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'index_constituents'") == [(0,)]
    assert _query(path, "SELECT count(*) FROM trades") == [(100,)]


def test_its_schema_is_the_legacys_own(seed: Path) -> None:
    if not _SEEDED.exists():
        pytest.skip(f"{_SEEDED.name} of the shared folder is not on this machine")
    indices = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name"
    assert _query(seed, indices) == _query(_SEEDED, indices)
    for table in ("trades", "portfolio_snapshots", "index_constituents"):
        assert _columns(seed, table) == _columns(_SEEDED, table)
