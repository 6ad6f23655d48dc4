"""`parakeet adequacy`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli.adequacy_tables import print_adequacy
from harness.cli.progress import shown_progress
from harness.domain.adequacy import Adequacy, Fate
from harness.domain.errors import ExitCode
from harness.settings import load_settings
from harness.wiring.adequacy import AdequacyRequest, find_adequacy
from harness.wiring.adequacy_file import prepare_directory, write_adequacy
from harness.wiring.paths import artifacts_directory

_MOST_JOBS = 4


def adequacy(
    *,
    sessions: Annotated[
        list[str] | None, typer.Option(help="Session file or glob; repeatable. Default: scenarios/sessions/**")
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="Package to plant faults in; default: `source` under [adequacy].")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of files to plant faults in; repeatable. Default: all of them."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many faults to draw; 0 is all of them.")] = 150,
    seed: Annotated[int, typer.Option(help="Which ones are drawn.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=_MOST_JOBS, help="Faults tried at once.")] = min(
        2, os.cpu_count() or 1
    ),
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the faults that the sessions must notice.")
    ] = 0.9,
    legacy_db: Annotated[Path | None, typer.Option(help="SQLite file with the rows to start from.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for adequacy.json; default artifacts/.cache.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Plant faults in the target's source and SQL, and tell which of them the sessions would let through.

    Each fault is tried alone, in a scratch copy that runs in a process of its own against its own database: a dropped
    ORDER BY, a lost commit, a flipped comparison, a skipped validation, exchanged fields, another default. The
    unchanged target's answers and rows are what a fault is compared with. For each fault that no session notices,
    the operation is named that needs a step.

    Exit codes: 0 the sessions notice the share asked for, 1 they do not, 2 usage, 3 nothing to plant.

    Example: parakeet adequacy --limit 120 --out artifacts/adequacy

    Example: parakeet adequacy --sessions 'scenarios/sessions/trades/*' --files 'target/*/trades.py'
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    directory = prepare_directory(out or artifacts_directory() / ".cache" / "adequacy")
    done, total = 0, None

    def start(count: int) -> None:
        nonlocal total
        total = count

    with shown_progress("trying faults", "faults") as show:

        def advance(_: object) -> None:
            nonlocal done
            done += 1
            show(done, total)

        request = AdequacyRequest(
            sessions=tuple(sessions or ()),
            source=source,
            files=tuple(files or ()),
            limit=limit,
            seed=seed,
            jobs=jobs,
            legacy_db=legacy_db,
            on_stage=lambda text: console.print(f"… {text}", markup=False),
            on_start=start,
            on_outcome=advance,
        )
        found = asyncio.run(find_adequacy(request, load_settings(config)))
    print_adequacy(found, threshold)
    place = write_adequacy(found, directory, seed=seed, threshold=threshold)
    _warn(found, console)
    Console(soft_wrap=True, highlight=False).print(f"details: {place}", markup=False)
    return _exit_code(found, threshold)


def _exit_code(found: Adequacy, threshold: float) -> ExitCode:
    if found.killed_ratio is None:
        return ExitCode.INCONCLUSIVE
    return ExitCode.GO if found.killed_ratio >= threshold else ExitCode.NO_GO


def _warn(found: Adequacy, console: Console) -> None:
    if found.unsteady:
        names = ", ".join(found.unsteady)
        console.print(f"left out, since the unchanged target does not repeat itself: {names}", markup=False)
    for name in found.disproved:
        console.print(f"called equivalent, and noticed all the same: {name}; remove its exemption", markup=False)
    if not found.outcomes:
        console.print("nothing to plant: the source has no statement that a fault could change", markup=False)
    elif not found.count(Fate.KILLED):
        console.print("no fault was noticed: check that the sessions reach this source", markup=False)
