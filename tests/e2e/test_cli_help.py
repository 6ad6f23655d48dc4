"""Every command and sub-command explains itself: what it does, every option, and an example that would be taken."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import run
from harness.cli.commands import COMMANDS, load_command

_EXAMPLE = re.compile(r"^\s*Example: (parakeet .+)$", re.M)


def leaves() -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""
    for name in COMMANDS:
        found = load_command(name)
        subcommands = getattr(found, "commands", {})
        yield from ((name, each) for each in subcommands) if subcommands else [(name,)]


def command_of(words: tuple[str, ...]) -> Any:
    """The command that the words name."""
    found = load_command(words[0])
    return found.commands[words[1]] if len(words) > 1 else found


LEAVES = tuple(leaves())
EVERYTHING = tuple(dict.fromkeys([(), *((name,) for name in COMMANDS), *LEAVES]))


@pytest.mark.parametrize("words", EVERYTHING, ids=" ".join)
def test_help_is_there_in_any_directory(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*words, "--help"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    assert " ".join(("parakeet", *words)) in " ".join(captured.out.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "section"),
    [(("parity", "objects"), "[objects]"), (("parity", "schema"), "[rows]"), (("migrate",), "[objects]")],
    ids=str,
)
def test_a_section_of_the_configuration_is_named_in_help(
    words: tuple[str, ...], section: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--help"]) == 0
    assert section in capfd.readouterr().out


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_command_has_a_description_and_each_option_a_text(words: tuple[str, ...]) -> None:
    command = command_of(words)
    assert len((command.help or "").split("\n")[0]) > 20
    options = [option for option in command.params if "--help" not in option.opts]
    assert [option.name for option in options if not (option.help or "").strip()] == []


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_an_example_is_a_command_line_that_would_be_taken(words: tuple[str, ...]) -> None:
    command = command_of(words)
    examples = _EXAMPLE.findall(command.help or "")
    assert examples, "no example"
    for example in examples:
        named, arguments = shlex.split(example)[1 : 1 + len(words)], shlex.split(example)[1 + len(words) :]
        assert tuple(named) == words
        command.make_context(" ".join(words), arguments)  # raises on an unknown option, a missing one or a bad value


@pytest.mark.parametrize("name", [name for name in COMMANDS if getattr(load_command(name), "commands", None)])
def test_a_group_says_what_its_commands_are_for(name: str) -> None:
    group = load_command(name)
    assert group.help
    assert all(each.help for each in group.commands.values())


def test_the_installed_command_works_elsewhere(tmp_path: Path) -> None:
    installed = Path(sys.executable).with_name("parakeet")
    done = subprocess.run(
        [installed, "phases", "--phase", "4"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "P4.trades.parity" in done.stdout
