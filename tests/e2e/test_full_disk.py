"""A disk without room: exit code 4, one error that says where and what to do, and nothing half-written."""

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.adapters import journal
from harness.adapters.evidence_store import open_run
from harness.cli import run
from harness.domain.errors import ConfigurationError, ExitCode, HarnessError, unwritable
from harness.domain.evidence import RunManifest
from legacy_adapter.seed import write_seed_database
from tests.builders.stored_records import session_record

MANIFEST = RunManifest(
    run_id="full", environment="local", profile="replay", commit="", started_at=datetime(2026, 2, 4, tzinfo=UTC)
)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A run with one session."""
    store = open_run(tmp_path / "run", MANIFEST)
    store.append_session(session_record())
    store.finish(datetime(2026, 2, 5, tzinfo=UTC))
    store.close()
    return tmp_path / "run"


@pytest.fixture
def full_disk(stored: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        yield


def _files(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if path.is_file() and not path.name.startswith("journal.sqlite")}


@pytest.mark.parametrize(
    "command", ["init {place}/project", "export --run {run} --out {place}/x.har", "compare --run {run}"]
)
@pytest.mark.usefixtures("full_disk")
def test_nothing_half_written_is_left(
    command: str, stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _files(tmp_path)
    code = run([part.format(place=tmp_path, run=stored) for part in command.split()])
    told = capsys.readouterr().err
    assert (code, told.count("error:")) == (ExitCode.HARNESS_FAILED, 1), told
    assert "No space left" in told
    assert str(tmp_path) in told
    assert "Make room" in told
    assert _files(tmp_path) == before


def test_a_run_whose_journal_finds_no_room_was_never_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_SCHEMA", "PRAGMA max_page_count = 1;" + journal._SCHEMA)
    with pytest.raises(HarnessError, match="is full") as raised:
        open_run(tmp_path / "run", MANIFEST)
    assert raised.value.exit_code is ExitCode.HARNESS_FAILED
    assert "Make room" in raised.value.hint
    assert list((tmp_path / "run").iterdir()) == []


def test_a_row_comparison_whose_journal_finds_no_room_leaves_its_directory_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(journal, "_SCHEMA", "PRAGMA max_page_count = 1;" + journal._SCHEMA)
    write_seed_database(tmp_path / "legacy.db")
    options = ["--legacy-db", str(tmp_path / "legacy.db"), "--target-dsn", "postgresql://127.0.0.1:1/x"]
    assert run(["parity", "rows", *options, "--out", str(tmp_path / "out")]) == ExitCode.HARNESS_FAILED
    assert "Make room" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_only_a_full_disk_is_no_fault_of_what_was_asked() -> None:
    def of(number: int) -> HarnessError:
        return unwritable(OSError(number, os.strerror(number)), where="x", hint="Elsewhere.")

    assert [of(number).exit_code for number in (errno.ENOSPC, errno.EDQUOT)] == [ExitCode.HARNESS_FAILED] * 2
    assert isinstance(of(errno.EACCES), ConfigurationError)
    assert of(errno.EACCES).hint == "Elsewhere."
