"""Every command of `parakeet`, by name; a command's module is imported only when that command is run.

Importing them all costs more than a second, which every start, `--help` and usage error would pay.
"""

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

COMMANDS: Mapping[str, str] = {
    "verify": "harness.cli.verify:verify",
    "init": "harness.cli.init:init",
    "up": "harness.cli.up:up",
    "build": "harness.cli.build:build",
    "bench": "harness.cli.bench:bench",
    "load": "harness.cli.load:load",
    "fuzz": "harness.cli.fuzz:fuzz",
    "report": "harness.cli.report:report",
    "gate": "harness.cli.gate:gate",
    "phases": "harness.cli.phases:phases",
    "legacy": "harness.cli.legacy:legacy_app",
    "infra": "harness.cli.infra:app",
    "calibrate": "harness.cli.calibrate:calibrate",
    "migrate": "harness.cli.migrate:migrate",
    "parity": "harness.cli.parity:parity",
    "prepare": "harness.cli.prepare:prepare",
    "generate": "harness.cli.generate:generate",
    "replay": "harness.cli.replay:replay",
    "record": "harness.cli.record:record",
    "compare": "harness.cli.compare:compare",
    "export": "harness.cli.export:export",
    "selftest": "harness.cli.selftest:selftest",
    "waivers": "harness.cli.waivers:waivers",
    "adequacy": "harness.cli.adequacy:adequacy",
}
"""`module:name` of a function with options, or of a group of such; its docstring or `help` is what `--help` shows."""


class LazyGroup(TyperGroup):
    """Lists every command from its source text, and imports the one that is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What is listed: the name and help of a command, without its options."""
        return _described(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is run, whole; an unknown name is a usage error that suggests a near one."""
        if args[0] in COMMANDS:
            return args[0], load_command(args[0]), args[1:]
        self.commands = {name: _described(name) for name in COMMANDS}
        return super().resolve_command(ctx, args)


parakeet = LazyGroup(
    name="parakeet",
    help="Verifies a migration: replays identical requests against both systems and decides from evidence.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


def load_command(name: str) -> Any:
    """Imports the command's module; the command with all its options."""
    module, attribute = COMMANDS[name].split(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return _as_written(get_group(found))
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
    single.command(name)(found)
    return _as_written(get_command(single))


def _as_written(command: Any) -> Any:
    """The command with `[rows]` and its like in all help; they would be taken for markup, and left out."""
    for each in (command, *command.params):
        if getattr(each, "help", None):
            each.help = re.sub(r"(?=\[[a-z])", r"\\", each.help)
    for below in getattr(command, "commands", {}).values():
        _as_written(below)
    return command


def _described(name: str) -> Any:
    return _as_written(TyperCommand(name=name, help=read_help(*COMMANDS[name].split(":"))))


def read_help(module: str, attribute: str) -> str:
    """The docstring of a function, or the `help` of a group, from the module's source; '' where there is none."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return ""
    for node in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return inspect.cleandoc(ast.get_docstring(node) or "")
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _assigns(node, attribute):
            return _help_argument(node.value)
    return ""


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _help_argument(call: ast.Call) -> str:
    given = {keyword.arg: keyword.value for keyword in call.keywords}.get("help")
    return str(given.value) if isinstance(given, ast.Constant) else ""
