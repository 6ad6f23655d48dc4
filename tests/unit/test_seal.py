"""GO is believed only of the files that were judged."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.criterion import Decision
from harness.domain.errors import EvidenceError
from harness.wiring.report import stored_gate
from reports.seal import SEAL_FILE, encode_seal, require_same_exchanges
from tests.builders.run_directory import clean_content, defective_content, seal_run, write_run

EXCHANGES = "exchanges.jsonl.gz"


@pytest.fixture
def replayed(tmp_path: Path) -> Path:
    """A run without criteria, whose every comparison is equal but one."""
    content = defective_content()
    directory = write_run(tmp_path, replace(content, manifest=replace(content.manifest, profile="replay")))
    (directory / EXCHANGES).write_bytes(b"as it was")
    seal_run(directory)
    return directory


def _forgive(run: Path) -> None:
    lines = (run / "comparisons.jsonl").read_bytes().splitlines(keepends=True)
    (run / "comparisons.jsonl").write_bytes(b"".join(line for line in lines if b'"different"' not in line))


def _cut(run: Path) -> None:
    (run / "comparisons.jsonl").write_bytes((run / "comparisons.jsonl").read_bytes().splitlines(keepends=True)[0])


def _without_seal(run: Path) -> None:
    _forgive(run)
    (run / SEAL_FILE).unlink()


def _of_another_run(run: Path) -> None:
    _forgive(run)
    seal_run(run)
    (run / EXCHANGES).write_bytes(b"of another run")


def _without_exchanges(run: Path) -> None:
    _forgive(run)
    seal_run(run)
    (run / EXCHANGES).unlink()


@pytest.mark.parametrize("tamper", [_forgive, _cut, _without_seal, _of_another_run, _without_exchanges])
def test_go_by_files_that_were_not_judged_is_refused(replayed: Path, tamper: Callable[[Path], None]) -> None:
    assert stored_gate(replayed) is Decision.NO_GO
    tamper(replayed)
    with pytest.raises(EvidenceError, match="judged") as refused:
        stored_gate(replayed)
    assert "run again into a new directory" in str(refused.value.hint)


def test_go_of_a_verification_stands_only_as_it_was_decided(tmp_path: Path) -> None:
    run = write_run(tmp_path, defective_content())
    assert stored_gate(run) is Decision.NO_GO
    text = (run / "decision.json").read_bytes()
    (run / "decision.json").write_bytes(text.replace(b'"decision": "NO_GO"', b'"decision": "GO"', 1))
    with pytest.raises(EvidenceError, match="not the file that was judged"):
        stored_gate(run)


def test_judging_again_keeps_what_the_seal_says_of_other_files(tmp_path: Path) -> None:
    run = write_run(tmp_path, clean_content())
    before = (run / SEAL_FILE).read_bytes()
    assert encode_seal(run, ["comparisons.jsonl"]) == before
    assert stored_gate(run) is Decision.GO


def test_exchanges_that_were_judged_are_held_and_others_are_not(replayed: Path) -> None:
    require_same_exchanges(replayed)
    (replayed / EXCHANGES).write_bytes(b"another")
    with pytest.raises(EvidenceError, match="not the file that was judged"):
        require_same_exchanges(replayed)
    (replayed / SEAL_FILE).unlink()
    require_same_exchanges(replayed)
