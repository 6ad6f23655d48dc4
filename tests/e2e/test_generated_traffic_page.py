"""The commands of docs/generated-traffic.md would be taken as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from harness.cli.commands import load_command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "generated-traffic.md"
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
COMMANDS = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]


def test_the_page_has_commands():
    assert {command.split()[1] for command in COMMANDS} >= {"up", "generate", "replay"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_would_be_taken(command: str):
    program, name, *arguments = shlex.split(command)
    assert program == "parakeet"
    load_command(name).make_context(name, arguments)  # raises on an unknown option, a missing one or a bad value
