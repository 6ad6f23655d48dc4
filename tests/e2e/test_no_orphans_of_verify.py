"""However `parakeet verify` ends, nothing of its goes on running, and a killed run can be resumed."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.domain.errors import ExitCode
from harness.wiring.manifest import current_commit
from tests.builders.started_pair import StartedCommands, survivors

INTERRUPTED = 130
SLOW_PROBE = "replaying sessions"
"""What verify says once the pair is up and its longest work begins."""
FROM_THE_START = "… 0 of "
FIRST_SESSIONS = "… 10 of "


@pytest.fixture
def started(tmp_path: Path) -> Iterator[StartedCommands]:
    """Starts commands."""
    commands = StartedCommands(tmp_path)
    yield commands
    commands.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_verify_that_is_asked_to_end_leaves_nothing(
    started: StartedCommands, tmp_path: Path, number: signal.Signals
) -> None:
    command = started.verify("a", "--criterion", "P4.trades", "--out", str(tmp_path / "run"))
    command.wait_for(lambda: SLOW_PROBE in command.output)
    family = command.family()
    command.send(number)
    assert command.wait() == INTERRUPTED
    assert "interrupted" in command.output and "Traceback" not in command.output
    assert survivors(family) == []
    assert command.left_behind() == []


def test_a_killed_verify_leaves_nothing_and_is_resumed(started: StartedCommands, tmp_path: Path) -> None:
    out = tmp_path / "run"
    commit = current_commit()
    wanted = [word for name in ("P1.parity", "P4.root.parity", "P4.data.parity") for word in ("--criterion", name)]
    command = started.verify("a", *wanted, "--out", str(out))
    command.wait_for(lambda: FIRST_SESSIONS in command.output)
    family = command.family()
    command.send(signal.SIGKILL)
    assert survivors(family) == []
    assert not (out / "decision.json").exists()

    resumed = started.verify("b", "--resume", "--out", str(out))
    code = resumed.wait(180)
    assert "comparing rows" not in resumed.output, "what was done is not done again"
    assert FROM_THE_START not in resumed.output and " sessions" in resumed.output
    assert resumed.left_behind() == []
    decision = json.loads((out / "decision.json").read_text())
    decided = {c["id"]: c for phase in decision["phases"] for c in phase["criteria"]}
    assert decided["P4.root.parity"]["verdict"] == "pass"
    assert decided["P4.trades.parity"]["verdict"] == "inconclusive", "it was not asked for"
    if current_commit() == commit:
        assert (code, decision["decision"]) == (ExitCode.GO, "GO"), resumed.output
        assert decided["P1.parity"]["verdict"] == "pass"
    else:  # somebody committed meanwhile: what the first run found may be of another commit than the decision
        assert code == ExitCode.GO or "foreign evidence" in decided["P1.parity"]["reason"], resumed.output
