"""However `parakeet up` ends, nothing of its goes on running, and the next start works."""

import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from harness.domain.errors import ExitCode
from tests.builders.started_pair import StartedCommands, StartedPair, survivors


@pytest.fixture
def started(tmp_path: Path) -> Iterator[StartedCommands]:
    """Starts commands."""
    commands = StartedCommands(tmp_path)
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


def test_up_ends_in_order_and_by_force_and_starts_again(started: StartedCommands) -> None:
    """One after another in one directory, so that each start is also the next start of the case before it."""
    pair = started.up("a")
    family = family_of(pair)
    assert stat.S_IMODE(pair.json_path.stat().st_mode) == 0o600, "it holds a password and tokens"
    pair.send(signal.SIGKILL)
    assert survivors(family) == []
    (abandoned,) = pair.left_behind()

    pair = started.up("a")
    family = family_of(pair)
    assert len(pair.left_behind()) == 1 and abandoned not in pair.left_behind(), (
        "the killed run's directory is swept away"
    )
    pair.send(signal.SIGINT)
    assert pair.wait() == ExitCode.GO
    assert "stopped; nothing is left running" in pair.output
    assert survivors(family) == []
    assert pair.left_behind() == []


def test_up_in_the_background_of_a_shell_ends_on_sigterm(started: StartedCommands) -> None:
    pair = started.up("a", ignores_interrupts=True)
    pair.addresses()
    family = pair.family()
    pair.send(signal.SIGTERM)
    assert pair.wait() == ExitCode.GO
    assert survivors(family) == []
    assert pair.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_that_ends_before_it_is_up_leaves_nothing(started: StartedCommands, number: signal.Signals) -> None:
    pair = started.up("a")
    pair.wait_for(lambda: len(pair.family()) > 3)
    family = pair.family()
    pair.send(number)
    pair.wait()
    assert survivors(family) == []
    assert number == signal.SIGKILL or pair.left_behind() == []
    assert not pair.json_path.exists()
