"""`parakeet verify`."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.domain.criterion import Decision, Verdict
from harness.domain.errors import ConfigurationError, ExitCode
from harness.settings import load_settings
from harness.wiring.verify import Verified, VerifyRequest
from harness.wiring.verify import verify as verify_pair

_EXIT_CODES = {
    Decision.GO: ExitCode.GO,
    Decision.NO_GO: ExitCode.NO_GO,
    Decision.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow", Verdict.ERROR: "magenta"}


class Profile(StrEnum):
    """How much a verification gathers."""

    FULL = "full"
    QUICK = "quick"


def verify(
    *,
    phase: Annotated[str, typer.Option(help="`all`, or numbers such as 1,4.")] = "all",
    criterion: Annotated[
        list[str] | None, typer.Option(help="A criterion's id, or the beginning of several; repeatable.")
    ] = None,
    profile: Annotated[Profile, typer.Option(help="`quick` leaves out what takes long, and says so.")] = Profile.FULL,
    environment: Annotated[str, typer.Option(help="Where the target runs.")] = "local",
    out: Annotated[Path | None, typer.Option(help="Run directory; default artifacts/<run id>.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue --out, or the latest run, as it was asked for.")
    ] = False,
    legacy_db: Annotated[Path | None, typer.Option(help="SQLite file that both sides start from; copied.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Bring both systems up, compare, measure, report and decide.

    Exit codes: 0 GO, 1 NO-GO, 2 usage, 3 INCONCLUSIVE, 4 the harness itself failed.

    Example: parakeet verify --profile quick
    Example: parakeet verify --phase 1,4 --out artifacts/before-cut-over
    """
    console = Console(stderr=True)
    request = VerifyRequest(
        profile=profile.value,
        phases=_phases(phase),
        criteria=tuple(criterion or ()),
        environment=environment,
        out=out,
        is_resumed=resume,
        legacy_db=legacy_db,
        command=("parakeet", *sys.argv[1:]),
        tell=lambda text: console.print(f"… {text}", highlight=False),
    )
    verified = asyncio.run(verify_pair(request, load_settings(config)))
    _show(verified)
    return _EXIT_CODES[verified.decision.decision]


def _phases(text: str) -> frozenset[int]:
    if text == "all":
        return frozenset()
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError:
        hint = "Give `all`, or numbers such as 1,4."
        raise ConfigurationError(f"{text!r} is no list of phases", where="--phase", hint=hint) from None


def _show(verified: Verified) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("criterion", "verdict", "finding"):
        table.add_column(name, overflow="fold")
    for phase in verified.decision.phases:
        for found in phase.criteria:
            if found.is_required:
                verdict = f"[{_STYLES[found.verdict]}]{found.verdict.value}[/]"
                table.add_row(found.id, verdict, found.reason or found.title)
    console = Console()
    console.print(table)
    word = verified.decision.decision.value.replace("_", "-")
    console.print(f"\n{word} for {verified.decision.environment}", style="bold")
    console.print(f"report: {verified.run_directory / 'report.html'}", soft_wrap=True, highlight=False)
