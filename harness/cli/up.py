"""`parakeet up`."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.settings import load_settings
from harness.wiring.pair import PairOptions
from harness.wiring.up import PairAddresses, serve_pair


def up(
    legacy_db: Annotated[
        Path | None, typer.Option(help="SQLite file that both sides start from; it is copied, never written.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File for the addresses, written once both sides answer.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> None:
    """Start the legacy and the local cloud side by side and stay until Ctrl-C.

    Without a database, both start from a deterministic seed of 100 trades.

    Example: parakeet up --json pair.json
    """
    console = Console(stderr=True)
    options = PairOptions(
        settings=load_settings(config), legacy_db=legacy_db, on_progress=lambda text: console.print(f"… {text}")
    )
    with contextlib.suppress(KeyboardInterrupt):  # the ordinary way to end it
        asyncio.run(serve_pair(options, json, lambda addresses: _show(console, addresses, json)))
    console.print("stopped; nothing is left running")


def _show(console: Console, addresses: PairAddresses, json: Path | None) -> None:
    console.print(f"legacy  {addresses.legacy_url}", highlight=False)
    console.print(f"target  {addresses.target_url}", highlight=False)
    if json is not None:
        console.print(f"addresses, tokens and the database are in {json}", highlight=False)
    console.print("Ctrl-C stops both")
