"""`parakeet bench`: one measurement alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.domain.errors import ConfigurationError
from harness.domain.measurement import Measurement, format_quantity
from harness.engine.latency import LatencyPlan
from harness.settings import load_settings
from harness.wiring.bench import BenchRequest, bench_cold_start, bench_ingest, bench_latency

bench = typer.Typer(help="Measure one thing alone, with its interval.", no_args_is_help=True)

_Out = Annotated[Path | None, typer.Option(help="Directory for the raw samples.")]
_Config = Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")]


@bench.command("latency")
def latency(
    *,
    legacy_url: Annotated[str | None, typer.Option(help="Address of the legacy; default: start both systems.")] = None,
    target_url: Annotated[str | None, typer.Option(help="Address of the target.")] = None,
    rate: Annotated[float, typer.Option(help="Requests a second on each side.", min=0.1, max=500)] = 40.0,
    rounds: Annotated[int, typer.Option(help="Rounds, interleaved between the sides.", min=1, max=100)] = 5,
    requests: Annotated[int, typer.Option(help="Requests a round and side.", min=1, max=10_000)] = 120,
    allow_load: Annotated[bool, typer.Option("--allow-load", help="Addresses off this machine, on purpose.")] = False,
    out: _Out = None,
    config: _Config = None,
) -> int:
    """Open-loop latency of both sides, interleaved, with an A/A control.

    Latency counts from the intended send time; a failure counts as infinite. At least 299 samples a side are needed
    to claim a p99.

    Example: parakeet bench latency --rounds 5 --requests 120 --rate 40
    """
    if (legacy_url is None) != (target_url is None):
        raise ConfigurationError("one address is given and the other is not", hint="Give both, or neither.")
    console = Console(stderr=True)
    request = BenchRequest(
        settings=load_settings(config),
        urls=None if legacy_url is None or target_url is None else (legacy_url, target_url),
        allow_load=allow_load,
        out=out,
        tell=lambda text: console.print(f"… {text}", highlight=False),
    )
    plan = LatencyPlan(rounds=rounds, requests_per_round=requests, rate_rps=rate)
    _show(asyncio.run(bench_latency(request, plan)))
    return 0


@bench.command("cold-start")
def cold_start(
    *,
    function: Annotated[str, typer.Option(help="Key of the function in terraform/.")] = "trades",
    count: Annotated[int, typer.Option(help="Fresh environments.", min=1, max=1000)] = 60,
    out: _Out = None,
    config: _Config = None,
) -> int:
    """First responses of fresh execution environments on the local cloud, as a client waits for them.

    At least 59 samples are needed to claim a p95.

    Example: parakeet bench cold-start --count 60
    """
    console = Console(stderr=True)
    request = BenchRequest(
        settings=load_settings(config), out=out, tell=lambda text: console.print(f"… {text}", highlight=False)
    )
    _show(asyncio.run(bench_cold_start(request, function, count)))
    return 0


@bench.command("ingest")
def ingest(
    *,
    tickers: Annotated[
        int | None, typer.Option(help="Generated tickers beside the legacy's; default: scenarios/probes.toml.", min=0)
    ] = None,
    out: _Out = None,
    config: _Config = None,
) -> int:
    """The daily ingest on the local cloud, from a market that is slow, throttles and fails.

    Rows and values are compared with what the market has; then it is loaded again, killed while it writes, and loaded
    once more. Exit 1 if any of that is wrong: how long it took says nothing then.

    Example: parakeet bench ingest --tickers 5000
    """
    console = Console(stderr=True)
    request = BenchRequest(
        settings=load_settings(config), out=out, tell=lambda text: console.print(f"… {text}", highlight=False)
    )
    checks, measurements = asyncio.run(bench_ingest(request, tickers))
    for check in checks:
        Console().print(f"{'ok  ' if check.passed else 'FAIL'}  {check.name}: {check.detail}", highlight=False)
    _show(measurements)
    return 0 if all(check.passed for check in checks) else 1


def _show(measurements: Sequence[Measurement]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("measurement", "subject", "value", "95 % bounds", "samples"):
        table.add_column(name, justify="left" if name in {"measurement", "subject"} else "right")
    for found in measurements:
        ends = ["none" if end is None else format_quantity(end, found.unit) for end in (found.lower, found.upper)]
        value = format_quantity(found.value, found.unit)
        table.add_row(found.name, found.subject, value, " to ".join(ends), f"{found.samples:,}")
    Console().print(table)
