"""What a row comparison keeps where the disk fills up: whole ranges, and nothing of the one that did not fit."""

import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from harness.adapters.row_parity_log import RowParityLog
from harness.domain.errors import ExitCode, HarnessError
from harness.domain.row_difference import missing_column
from harness.domain.row_parity import KeyRange, RangeOutcome


@contextmanager
def _files_of_at_most(size_bytes: int) -> Iterator[None]:
    """As on a full disk, writing a longer file fails in the midst of it."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _outcome(differences: int, upto: int) -> RangeOutcome:
    found = tuple(missing_column("readings", f"column {number}") for number in range(differences))
    return RangeOutcome(table="readings", keys=KeyRange(upto=(upto,)), legacy_rows=10, differences=found)


@pytest.mark.parametrize("room_bytes", [0, 30_000])
def test_a_range_that_does_not_fit_leaves_nothing_behind(tmp_path: Path, room_bytes: int) -> None:
    # With no room at all it is the journal that fails, as its file is the longer one.
    with closing(RowParityLog(tmp_path, "inputs")) as log:
        log.append(_outcome(3, 10))
        before = (tmp_path / "differences.jsonl").read_bytes()
        with _files_of_at_most(room_bytes or len(before) + 200), pytest.raises(HarnessError) as raised:
            log.append(_outcome(1 if room_bytes == 0 else 1_000, 20))
        assert "cannot write the evidence" in raised.value.what
        assert "Make room" in raised.value.hint
        assert raised.value.exit_code is ExitCode.HARNESS_FAILED
    assert (tmp_path / "differences.jsonl").read_bytes() == before
    with closing(RowParityLog(tmp_path, "inputs")) as log:
        assert log.done() == {"readings": (10,)}
        log.append(_outcome(1_000, 20))
        assert log.done() == {"readings": (20,)}
