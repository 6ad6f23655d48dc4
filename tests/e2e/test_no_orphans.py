"""However `parakeet up` and `parakeet verify` end, nothing of theirs goes on running, and the next start works."""

import json
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from harness.domain.errors import ExitCode
from tests.builders.started_pair import StartedCommand, StartedPair, survivors

# Two at a time at most: each starts both systems.
of_up = pytest.mark.xdist_group("orphans of up")
of_verify = pytest.mark.xdist_group("orphans of verify")

INTERRUPTED = 130
SLOW_PROBE = "replaying sessions"
"""What verify says once the pair is up and its longest work begins."""
FIRST_SESSIONS = "… 10 of "


class Started:
    """Commands of one test, each in a directory of its own; all end with it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._all: list[StartedCommand] = []

    def up(self, name: str, *, ignores_interrupts: bool = False) -> StartedPair:
        """`parakeet up`."""
        pair = StartedPair(self._directory / name, ignores_interrupts=ignores_interrupts)
        self._all.append(pair)
        return pair

    def verify(self, name: str, *arguments: str) -> StartedCommand:
        """`parakeet verify`."""
        command = StartedCommand(("verify", *arguments), directory=self._directory / name)
        self._all.append(command)
        return command

    def end(self) -> None:
        """Ends what still runs."""
        for command in self._all:
            command.end()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts commands."""
    commands = Started(tmp_path)
    yield commands
    commands.end()


def ask(address: str) -> int:
    """The status of a read, which starts an execution environment on the target."""
    with urlopen(f"{address}/api/trades/1", timeout=60) as answer:
        return int(answer.status)


def family_of(pair: StartedPair) -> list[psutil.Process]:
    """All processes of an answering pair, with those that `--json` names and a function's."""
    addresses = pair.addresses()
    assert [ask(addresses[name]) for name in ("legacy_url", "target_url")] == [200, 200]
    family = pair.family()
    assert {process.pid for process in family} > set(addresses["pids"]), "all that it names are its own"
    assert any("awslambdaric" in " ".join(process.cmdline()) for process in family)
    return family


def left_in(command: StartedCommand) -> list[str]:
    """Runtime directories that are still there."""
    return [path.name for path in command.temporary.glob("parakeet-*")]


@of_up
def test_up_ends_in_order_and_by_force_and_starts_again(started: Started) -> None:
    """One after another in one directory, so that each start is also the next start of the case before it."""
    pair = started.up("a")
    family = family_of(pair)
    assert stat.S_IMODE(pair.json_path.stat().st_mode) == 0o600, "it holds a password and tokens"
    pair.send(signal.SIGKILL)
    assert survivors(family) == []
    (abandoned,) = left_in(pair)

    pair = started.up("a")
    family = family_of(pair)
    assert len(left_in(pair)) == 1 and abandoned not in left_in(pair), "the killed run's directory is swept away"
    pair.send(signal.SIGINT)
    assert pair.wait() == ExitCode.GO
    assert "stopped; nothing is left running" in pair.output
    assert survivors(family) == []
    assert left_in(pair) == []


@of_up
def test_up_in_the_background_of_a_shell_ends_on_sigterm(started: Started) -> None:
    pair = started.up("a", ignores_interrupts=True)
    pair.addresses()
    family = pair.family()
    pair.send(signal.SIGTERM)
    assert pair.wait() == ExitCode.GO
    assert survivors(family) == []
    assert left_in(pair) == []


@of_up
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_that_ends_before_it_is_up_leaves_nothing(started: Started, number: signal.Signals) -> None:
    pair = started.up("a")
    pair.wait_for(lambda: len(pair.family()) > 3)
    family = pair.family()
    pair.send(number)
    pair.wait()
    assert survivors(family) == []
    assert number == signal.SIGKILL or left_in(pair) == []
    assert not pair.json_path.exists()


@of_verify
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_verify_that_is_asked_to_end_leaves_nothing(started: Started, tmp_path: Path, number: signal.Signals) -> None:
    command = started.verify("a", "--criterion", "P4.trades", "--out", str(tmp_path / "run"))
    command.wait_for(lambda: SLOW_PROBE in command.output)
    family = command.family()
    command.send(number)
    assert command.wait() == INTERRUPTED
    assert "interrupted" in command.output and "Traceback" not in command.output
    assert survivors(family) == []
    assert left_in(command) == []


@of_verify
def test_a_killed_verify_leaves_nothing_and_is_resumed(started: Started, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = started.verify("a", "--criterion", "P1.parity", "--criterion", "P4.root.parity", "--out", str(out))
    command.wait_for(lambda: FIRST_SESSIONS in command.output)
    family = command.family()
    command.send(signal.SIGKILL)
    assert survivors(family) == []
    assert not (out / "decision.json").exists()

    resumed = started.verify("b", "--resume", "--out", str(out))
    assert resumed.wait(180) == ExitCode.GO, resumed.output
    assert "comparing rows" not in resumed.output, "what was done is not done again"
    assert FIRST_SESSIONS not in resumed.output and " sessions" in resumed.output
    assert left_in(resumed) == []
    decision = json.loads((out / "decision.json").read_text())
    decided = {c["id"]: c["verdict"] for phase in decision["phases"] for c in phase["criteria"]}
    assert decision["decision"] == "GO"
    assert decided["P1.parity"] == decided["P4.root.parity"] == "pass"
    assert decided["P4.trades.parity"] == "inconclusive", "it was not asked for"
