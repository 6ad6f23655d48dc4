"""`parakeet migrate`, `prepare` and `parity rows` as a user runs them: output, messages and exit codes."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.cli import run
from harness.domain.errors import ExitCode
from legacy_adapter.seed import write_seed_database


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """The seed of 100 trades."""
    path = tmp_path / "trades.db"
    write_seed_database(path)
    return path


def _migrate(legacy: Path, dsn: str, *more: str) -> int:
    return run(["migrate", "--legacy-db", str(legacy), "--target-dsn", dsn, *more])


def _parity(legacy: Path, dsn: str) -> int:
    return run(["parity", "rows", "--legacy-db", str(legacy), "--target-dsn", dsn])


def test_migrate_counts_and_a_second_run_changes_nothing(
    legacy: Path, trades_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _migrate(legacy, trades_dsn) == ExitCode.GO
    first = capsys.readouterr()
    row = next(line for line in first.out.splitlines() if " trades " in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["trades", "100", "0", "100", "100"]
    assert "every row was written and verified" in first.err
    assert _migrate(legacy, trades_dsn) == ExitCode.GO
    assert "no row was written" in capsys.readouterr().err
    assert _parity(legacy, trades_dsn) == ExitCode.GO
    assert "100 legacy rows in 3 tables, 0 differences" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(legacy: Path, trades_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _migrate(legacy, trades_dsn, "--dry-run") == ExitCode.GO
    assert "rolled back" in capsys.readouterr().err
    assert _parity(legacy, trades_dsn) == ExitCode.NO_GO


def test_other_rows_are_refused(legacy: Path, trades_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    _migrate(legacy, trades_dsn)
    with closing(sqlite3.connect(legacy, isolation_level=None)) as database:
        database.execute("UPDATE trades SET notes = '' WHERE id = 3")
    assert _migrate(legacy, trades_dsn) == ExitCode.NO_GO
    error = capsys.readouterr().err
    assert "already holds other rows" in error
    assert "next:" in error
    assert _parity(legacy, trades_dsn) == ExitCode.NO_GO
    assert '/trades/3/notes\tvalue\tlegacy ""\ttarget "Seeded trade 3"' in capsys.readouterr().out


def test_the_older_generation_tells_its_rules(
    tmp_path: Path, trades_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older.db"
    write_seed_database(older, older_generation=True)
    assert _migrate(older, trades_dsn) == ExitCode.GO
    assert "trades.knowledge_timestamp = the row's created_at" in capsys.readouterr().err


def test_parity_of_nothing_is_inconclusive(legacy: Path, trades_dsn: str) -> None:
    with closing(sqlite3.connect(legacy, isolation_level=None)) as database:
        database.execute("DELETE FROM trades")
    assert _parity(legacy, trades_dsn) == ExitCode.INCONCLUSIVE


def test_bad_input_has_a_message_and_its_exit_code(
    legacy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alien = tmp_path / "notes.txt"
    alien.write_text("not a database")
    unreachable = "postgresql://user:hush@127.0.0.1:1/db"
    cases = [
        (_migrate(alien, unreachable), ExitCode.USAGE),
        (_migrate(tmp_path / "absent.db", unreachable), ExitCode.USAGE),
        (_migrate(legacy, "localhost/db"), ExitCode.USAGE),
        (_migrate(legacy, unreachable), ExitCode.INCONCLUSIVE),
        (_parity(legacy, unreachable), ExitCode.INCONCLUSIVE),
        (_parity(alien, unreachable), ExitCode.USAGE),
        (_parity(legacy, "localhost/db"), ExitCode.USAGE),
        (run(["parity", "schema", "--legacy-db", str(alien), "--target-dsn", unreachable]), ExitCode.USAGE),
        (run(["parity", "schema", "--legacy-db", str(legacy), "--target-dsn", unreachable]), ExitCode.INCONCLUSIVE),
        (
            run(["parity", "rows", "--legacy-db", "a", "--target-dsn", "b", "--dask-scheduler", "tcp://127.0.0.1:1"]),
            ExitCode.USAGE,
        ),
        (run(["migrate", "--target-dsn", unreachable]), ExitCode.USAGE),
        (run(["prepare", "--yes", "--target-dsn", unreachable]), ExitCode.INCONCLUSIVE),
    ]
    assert [code for code, _ in cases] == [expected for _, expected in cases]
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert "hush" not in error


def test_prepare_marks_only_when_told(trades_dsn: str) -> None:
    command = [sys.executable, "-c", "from harness.cli import main; main()", "prepare", "--target-dsn", trades_dsn]
    refused = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == ExitCode.USAGE
    assert "--yes" in refused.stderr
    assert run(["prepare", "--target-dsn", trades_dsn, "--yes"]) == ExitCode.GO


def test_a_comparison_of_rows_is_kept_and_resumed(
    legacy: Path, trades_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _migrate(legacy, trades_dsn)
    with closing(sqlite3.connect(legacy, isolation_level=None)) as database:
        database.execute("UPDATE trades SET notes = '' WHERE id = 3")
    command = ["parity", "rows", "--legacy-db", str(legacy), "--target-dsn", trades_dsn, "--recheck-after-s", "0"]
    assert run([*command, "--resume"]) == ExitCode.USAGE
    assert run([*command, "--out", str(tmp_path / "run")]) == ExitCode.NO_GO
    assert run([*command, "--out", str(tmp_path / "run")]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "--resume needs --out" in error and "not empty" in error
    assert run([*command, "--out", str(tmp_path / "run"), "--resume"]) == ExitCode.NO_GO
    assert "100 legacy rows in 3 tables, 1 differences" in capsys.readouterr().out
    assert '"/trades/3/notes"' in (tmp_path / "run" / "differences.jsonl").read_text()


def test_every_bad_row_is_reported_when_asked(
    legacy: Path, trades_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(legacy, isolation_level=None)) as database:
        database.execute("UPDATE trades SET currency = 'LONGER' WHERE id <= 20")
    assert _migrate(legacy, trades_dsn) == ExitCode.NO_GO
    assert "and 15 more" in capsys.readouterr().err
    assert _migrate(legacy, trades_dsn, "--on-bad-row", "report") == ExitCode.NO_GO
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cannot be carried: table")]
    assert len(lines) == 20 and lines[-1].startswith("cannot be carried: table trades, row id=20, column currency:")


def test_schemas_are_compared_and_kept(
    legacy: Path, trades_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["parity", "schema", "--legacy-db", str(legacy), "--target-dsn", trades_dsn]
    assert run([*command, "--out", str(tmp_path / "run")]) == ExitCode.NO_GO
    output = capsys.readouterr().out
    assert "/trades/columns/direction/type" in output and "VARCHAR(4)" in output
    assert "/trades/columns/created_at/default" in (tmp_path / "run" / "differences.jsonl").read_text()
    assert run([*command, "--out", str(tmp_path / "run")]) == ExitCode.USAGE
    assert "not empty" in capsys.readouterr().err
    accepting = tmp_path / "accepting.toml"
    accepting.write_text('[[schema.accept]]\nat = "/*"\nlegacy = "*"\ntarget = "*"\nreason = "all of it"\n')
    assert run([*command, "--config", str(accepting)]) == ExitCode.USAGE
