"""The `parakeet` command: how it ends. What there is to run is listed in `commands.py`.

Nothing heavy is imported here, so that an interrupt at any moment after the start is a message.
"""

import signal
import sys

from harness.collection import collect_rarely
from harness.domain.errors import ExitCode, HarnessError

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line; every expected failure is a message and an exit code, never a traceback."""
    # A shell starts background jobs with SIGINT ignored: then neither signal would end us.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Both ask us to end, and asyncio already turns one of them into an orderly cancellation.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    collect_rarely()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        print("interrupted; everything that was started has been stopped", file=sys.stderr)
    return code


def _run(arguments: list[str]) -> int:
    import typer  # noqa: PLC0415 - an interrupt while they load is a message too

    from harness.cli.commands import parakeet  # noqa: PLC0415

    try:
        returned = parakeet.main(arguments, prog_name="parakeet", standalone_mode=False)
        return int(returned) if isinstance(returned, int) else ExitCode.GO
    except HarnessError as error:
        _print_error(error)
        return int(error.exit_code)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except typer.Abort:
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the process edge: usage errors and our own failures end here
        return _end_with(error)


def _end_with(error: Exception) -> int:
    from rich.console import Console  # noqa: PLC0415

    if hasattr(error, "show") and hasattr(error, "exit_code"):  # click's usage errors
        error.show()
        return ExitCode.USAGE
    console = Console(stderr=True)
    console.print_exception() if "--debug" in sys.argv else console.print(
        f"the harness itself failed: {type(error).__name__}: {error}", style="red", markup=False
    )
    return ExitCode.HARNESS_FAILED


def _print_error(error: HarnessError) -> None:
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True, soft_wrap=True)
    console.print(f"error: {error.what}", style="red", markup=False, highlight=False)
    if error.where:
        console.print(f"  at:   {error.where}", markup=False, highlight=False)
    if error.hint:
        console.print(f"  next: {error.hint}", markup=False, highlight=False)
