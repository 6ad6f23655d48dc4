"""`parakeet waivers`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli import replay_arguments as given
from harness.cli.project_note import tell_whose_rules
from harness.domain.errors import ExitCode
from harness.settings import load_settings
from harness.wiring.rules import load_waivers, rules_of_today
from harness.wiring.waivers import Hidden, WaiverListing, list_waivers

_MAX_VALUE = 100


def waivers(
    run: Annotated[Path | None, typer.Option(help="Run directory: shows what each waiver hides there today.")] = None,
    waivers: given.Waivers = None,
    config: given.Config = None,
) -> int:
    """List the conscious differences: who answers for each, until when, and what it hides in a run.

    Expired waivers come first; they hide nothing any more, so that what they were for fails the gate. Nothing is
    written.

    Exit codes: 0 all are in force, 1 one has expired, 2 the file is malformed, or a waiver hides more than it says.

    Example: parakeet waivers --run runs/first
    """
    tell_whose_rules()
    rules = rules_of_today(load_waivers(waivers), load_settings(config).rows)
    listings = list_waivers(rules, run)
    console = Console(soft_wrap=True, highlight=False)
    for listing in listings:
        _print(console, listing)
    expired = sum(listing.is_expired for listing in listings)
    unused = sum(listing.hits == 0 and not listing.is_expired for listing in listings)
    summary = f"{len(listings)} waivers, {expired} expired"
    console.print(summary if run is None else f"{summary}, {unused} that hide nothing in this run")
    if expired:
        hint = "fix what they were for, or have their owners decide again"
        Console(stderr=True, soft_wrap=True).print(f"{expired} waivers have expired: {hint}")
    return ExitCode.NO_GO if expired else ExitCode.GO


def _print(console: Console, listing: WaiverListing) -> None:
    waiver = listing.waiver
    style = ("bold red" if listing.is_expired else "bold") if sys.stdout.isatty() else None
    console.print(f"{waiver.id} ({waiver.quirk})", style=style, markup=False)
    parts = [waiver.owner, _life(listing), *([] if listing.hits is None else [_count(listing.hits, "hit")])]
    for line in (" · ".join(parts), waiver.reason, f"matches {listing.pattern}", *map(_line, listing.hidden)):
        console.print(f"  {line}", markup=False)


def _life(listing: WaiverListing) -> str:
    day = listing.waiver.expires_on.isoformat()
    if listing.is_expired:
        return f"EXPIRED {_count(-listing.days_left, 'day')} ago ({day})"
    return f"{_count(listing.days_left, 'day')} left ({day})"


def _line(hidden: Hidden) -> str:
    example = hidden.example
    values = " against ".join(_shown(value) for value in (example.legacy, example.target))
    return f"hides {hidden.count} × {hidden.signature}, such as {example.session_id} step {example.step}: {values}"


def _shown(value: str | None) -> str:
    text = "nothing" if value is None else " ".join(value.splitlines())
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
