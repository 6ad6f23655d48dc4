"""The command line as a whole: quick, complete, and never a traceback."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.commands import COMMANDS, load_command, parakeet

_CLI = Path(__file__).resolve().parents[2] / "harness" / "cli"
_MAIN = "from harness.cli import main; main()"


def _python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_the_list_says_of_a_command_is_the_commands_own_help(name: str) -> None:
    told = inspect.cleandoc(load_command(name).help or "")
    assert told, "every command has a help text"
    assert parakeet.get_command(None, name).help == told


def test_every_file_of_a_command_is_in_the_table() -> None:
    """The first line of such a file begins with the command, without options."""
    begins = re.compile(r'"""`parakeet ([a-z-]+)[` ](?!-)')
    files = {found[1] for path in _CLI.glob("*.py") if (found := begins.match(path.read_text(encoding="utf-8")))}
    assert files == set(COMMANDS)


def test_the_list_imports_no_command() -> None:
    done = _python(
        "import sys; from harness.cli import run; code = run(['--help']);"
        "print(sorted(name for name in sys.modules if name.startswith('harness.wiring'))); sys.exit(code)"
    )
    assert done.returncode == 0
    assert done.stdout.strip().endswith("[]")
    assert all(name in done.stdout for name in COMMANDS)


def test_an_unknown_command_is_a_usage_error_that_names_a_near_one() -> None:
    done = _python(_MAIN, "verfy")
    assert done.returncode == 2
    assert "Did you mean 'verify'" in done.stderr


@pytest.mark.parametrize("module", ["typer", "harness.cli.commands", "harness.wiring.pair", "asyncpg"])
def test_an_interrupt_while_modules_load_is_a_message(module: str) -> None:
    interrupt = f"""
import signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
{_MAIN}
"""
    done = _python(interrupt, "up")
    assert done.returncode == 130
    assert done.stderr == "interrupted; everything that was started has been stopped\n"
