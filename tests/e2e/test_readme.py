"""What the README says exists: commands, options, files, targets of the Makefile."""

import re
from pathlib import Path

import pytest

from harness.cli import run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`parakeet ([a-z][^`]*)`", README)))


def _parts(command: str) -> tuple[list[str], list[str]]:
    words = command.split()
    options = [word for word in words if word.startswith("--")]
    path = [word for word in words[: words.index(options[0])] if word.islower()] if options else words
    return path, options


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_has_the_options_it_shows(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    path, options = _parts(command)
    assert run([*path, "--help"]) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert [option for option in options if option not in shown] == []


def test_the_readme_names_at_least_the_main_commands() -> None:
    assert {command.split()[0] for command in COMMANDS} >= {"up", "replay", "compare", "migrate", "legacy", "load"}


def test_links_of_the_readme_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE))
    assert wanted == {"verify", "test"}
    assert [target for target in wanted if f"\n{target}:" not in makefile] == []
