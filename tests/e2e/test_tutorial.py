"""docs/tutorial.md, followed literally: its commands in a fresh directory, its bugs found, its outputs seen."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
TIMEOUT_S = 280
FINDS = "--out runs/first"
"""In the block whose output has to name the bugs."""
BUGS = {
    "rounding": "GET /loans/{loan_id}/fee | body /fee_cents | value | integer -> integer",
    "time zone": "POST /loans | body /due_on | value | string -> string",
    "lost write": "POST /loans | row /books/*/times_lent | value | integer -> integer",
}
REPAIRS = (
    ("round(cents)", "int(cents + 0.5)"),
    ("lent_at.astimezone(UTC)", "lent_at.astimezone(LIBRARY_ZONE)"),
    ('WHERE id = %s", (new.book_id,))\n', 'WHERE id = %s", (new.book_id,))\n        connection.commit()\n'),
)
"""What each bug is repaired by, in the order of `BUGS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of the page: commands, or what they say."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The page as it was followed: what each block of commands said, stdout and stderr as they came."""

    exit_status: int
    outputs: tuple[str, ...]
    seconds: float

    @property
    def of_first_replay(self) -> str:
        """What was said of the port as it came."""
        return self.outputs[[FINDS in block for block in COMMANDS].index(True)]


BLOCKS = tuple(
    Block(kind=kind, text=text) for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.S | re.M)
)
COMMANDS = tuple(block.text for block in BLOCKS if block.kind == "sh")


def follow(commands: Sequence[str], directory: Path, checkout: Path) -> Followed:
    """Runs the blocks in one shell, in a fresh directory; nothing that they started is left."""
    marked = "".join(f"printf '\\n=== %s\\n' {number}\n{text}" for number, text in enumerate(commands))
    (directory / "tutorial.sh").write_text(f"set -eu\nexec 2>&1\n{marked}")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PARAKEET")}
    started = time.monotonic()
    shell = subprocess.Popen(
        ["sh", "tutorial.sh"],
        cwd=directory,
        env={**variables, "PARAKEET": str(checkout)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=TIMEOUT_S)
    finally:
        _end_group(shell)
    outputs = re.split(r"\n=== \d+\n", f"\n{said}")[1:]
    return Followed(exit_status=shell.returncode, outputs=tuple(outputs), seconds=time.monotonic() - started)


def _end_group(shell: subprocess.Popen[str]) -> None:
    """A page that broke off has left its systems running in the background."""
    try:
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    shell.communicate(timeout=30)


def named_bugs(said: str) -> set[str]:
    """The bugs whose signature is among those that are printed as unexplained."""
    return {bug for bug, signature in BUGS.items() if re.search(rf"^\d+ × {re.escape(signature)}$", said, re.M)}


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The whole page."""
    return follow(COMMANDS, tmp_path_factory.mktemp("tutorial"), ROOT)


def test_it_can_be_followed_to_the_end_in_ten_minutes(followed: Followed) -> None:
    assert followed.exit_status == 0, followed.outputs[-1]
    assert len(followed.outputs) == len(COMMANDS)
    assert followed.seconds < 600


def test_it_finds_the_three_bugs(followed: Followed) -> None:
    assert named_bugs(followed.of_first_replay) == set(BUGS)
    assert "exit code 1" in followed.of_first_replay


def test_what_the_page_shows_is_what_is_said(followed: Followed) -> None:
    """Every line that it shows stands in the output of the commands before it."""
    number = -1
    for kind, blocks in groupby(BLOCKS, key=lambda block: block.kind):
        shown = list(blocks)
        if kind == "sh":
            number += len(shown)
            continue
        said = " ".join(followed.outputs[number].split())
        lines = [" ".join(line.split()) for block in shown for line in block.text.splitlines()]
        assert [line for line in lines if line not in said] == []


def test_nothing_is_reported_of_a_port_without_bugs(tmp_path: Path) -> None:
    checkout, directory = tmp_path / "checkout", tmp_path / "fresh"
    directory.mkdir()
    shutil.copytree(ROOT / "examples", checkout / "examples")
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    port = checkout / "examples" / "library" / "port.py"
    text = port.read_text()
    for wrong, right in REPAIRS:
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    port.write_text(text)
    until_replay = COMMANDS[: [FINDS in block for block in COMMANDS].index(True) + 1]
    found = follow([*until_replay, "kill $!\nwait $!\n"], directory, checkout)
    assert found.exit_status == 0, found.outputs[-1]
    assert named_bugs(found.of_first_replay) == set()
    assert "no unexplained difference in 16 compared exchanges" in found.of_first_replay
    assert "exit code" not in found.of_first_replay
