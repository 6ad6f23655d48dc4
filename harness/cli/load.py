"""`parakeet load`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.adapters.locust import LoadRun
from harness.cli.duration import seconds_of
from harness.domain.errors import ExitCode
from harness.settings import load_settings
from harness.wiring.bench import BenchRequest, load_target


def load(
    *,
    users: Annotated[int, typer.Option(help="Concurrent users.", min=1, max=1000)] = 5,
    run_time: Annotated[str, typer.Option(help="How long, such as 15s or 2m; at most an hour.")] = "15s",
    host: Annotated[str | None, typer.Option(help="Address of the target; default: start staging here.")] = None,
    allow_load: Annotated[bool, typer.Option("--allow-load", help="An address off this machine, on purpose.")] = False,
    out: Annotated[Path | None, typer.Option(help="Directory for Locust's log and JSON.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Put Locust load on the target, judged from Locust's JSON; what the gateway throttles is counted apart.

    Exit codes: 0 every request was answered without a failure, 1 some failed, 3 no request was made.

    Example: parakeet load --users 5 --run-time 15s
    """
    console = Console(stderr=True)
    request = BenchRequest(
        settings=load_settings(config),
        urls=None if host is None else (host, host),
        allow_load=allow_load,
        out=out,
        tell=lambda text: console.print(f"… {text}", highlight=False),
    )
    run = asyncio.run(load_target(request, users=users, run_time_s=seconds_of(run_time, "--run-time")))
    _show(run)
    if run.requests == 0:
        return ExitCode.INCONCLUSIVE
    return ExitCode.NO_GO if run.failures else ExitCode.GO


def _show(run: LoadRun) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("operation", "requests", "failures", "p50", "p95"):
        table.add_column(name, justify="left" if name == "operation" else "right")
    for found in sorted(run.by_operation, key=lambda operation: operation.name):
        times = (f"{found.p50_ms:.0f} ms", f"{found.p95_ms:.0f} ms")
        table.add_row(found.name, f"{found.requests:,}", f"{found.failures:,}", *times)
    table.add_row("all", f"{run.requests:,}", f"{run.failures:,}", "", "")
    Console().print(table)
