"""The `parakeet` command: one file per sub-command, registered here."""

import signal
import sys
from typing import Any

import typer
from rich.console import Console

from harness.domain.errors import ExitCode, HarnessError

app = typer.Typer(
    name="parakeet",
    help="Verifies a migration: replays identical requests against both systems and decides from evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def main() -> None:
    """Runs the command line; every expected failure is a message and an exit code, never a traceback."""
    # A shell starts background jobs with SIGINT ignored; then neither signal would end us.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Both ask us to end, and asyncio already turns one of them into an orderly cancellation.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        returned: Any = app(arguments, standalone_mode=False)
        return int(returned) if isinstance(returned, int) else ExitCode.GO
    except HarnessError as error:
        _print_error(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; everything that was started has been stopped")
        return 130
    except typer.Exit as leave:
        return int(leave.exit_code)
    except typer.Abort:
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the process edge: usage errors and our own failures end here
        return _end_with(error)


def _end_with(error: Exception) -> int:
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's usage errors
        error.show()
        return ExitCode.USAGE
    console = Console(stderr=True)
    console.print_exception() if "--debug" in sys.argv else console.print(
        f"the harness itself failed: {type(error).__name__}: {error}", style="red", markup=False
    )
    return ExitCode.HARNESS_FAILED


def _print_error(error: HarnessError) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print(f"error: {error.what}", style="red", markup=False, highlight=False)
    if error.where:
        console.print(f"  at:   {error.where}", markup=False, highlight=False)
    if error.hint:
        console.print(f"  next: {error.hint}", markup=False, highlight=False)


def _register() -> None:
    from harness.cli.bench import bench  # noqa: PLC0415
    from harness.cli.build import build  # noqa: PLC0415 - a command's module imports this package
    from harness.cli.compare import compare  # noqa: PLC0415
    from harness.cli.gate import gate  # noqa: PLC0415
    from harness.cli.infra import app as infra_app  # noqa: PLC0415
    from harness.cli.legacy import legacy_app  # noqa: PLC0415
    from harness.cli.load import load  # noqa: PLC0415
    from harness.cli.migrate import migrate  # noqa: PLC0415
    from harness.cli.parity import parity  # noqa: PLC0415
    from harness.cli.phases import phases  # noqa: PLC0415
    from harness.cli.prepare import prepare  # noqa: PLC0415
    from harness.cli.replay import replay  # noqa: PLC0415
    from harness.cli.report import report  # noqa: PLC0415
    from harness.cli.up import up  # noqa: PLC0415
    from harness.cli.verify import verify  # noqa: PLC0415

    app.command("verify")(verify)
    app.command("up")(up)
    app.command("build")(build)
    app.add_typer(bench, name="bench")
    app.command("load")(load)
    app.command("report")(report)
    app.command("gate")(gate)
    app.command("phases")(phases)
    app.add_typer(legacy_app, name="legacy")
    app.add_typer(infra_app, name="infra")
    app.command("migrate")(migrate)
    app.add_typer(parity, name="parity")
    app.command("prepare")(prepare)
    app.command("replay")(replay)
    app.command("compare")(compare)


_register()
