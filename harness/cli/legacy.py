"""`parakeet legacy`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.evidence_store import write_atomically
from harness.domain.errors import ExitCode, unwritable
from harness.domain.recording_result import (
    GroupCount,
    StepCheck,
    count_groups,
    render_fidelity,
    result_document,
    sum_counts,
)
from harness.wiring.legacy_check import CheckOptions, check_legacy

legacy_app = typer.Typer(help="The legacy reference application.", no_args_is_help=True)


@legacy_app.callback()
def legacy() -> None:
    """The legacy reference application."""


@legacy_app.command("check")
def check(  # noqa: PLR0917 - an option each
    session: Annotated[list[str], typer.Option(help="Recording: a file or a glob; may be given again.")],
    db: Annotated[Path | None, typer.Option(help="SQLite file that the recording starts from; it is copied.")] = None,
    url: Annotated[str | None, typer.Option(help="Check this address instead of the reference application.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the result as Markdown.")] = None,
    jwt_secret_file: Annotated[
        Path | None, typer.Option(help="The token secret of the application at --url, if not its default.")
    ] = None,
) -> int:
    """Replay a recording and match every available answer: status, headers, body.

    Exit codes: 0 all match, 1 a mismatch, 2 input that cannot be read, 3 the application does not answer.

    Example: parakeet legacy check --session recording.jsonl --db trades.db
    """
    console = Console(stderr=True, soft_wrap=True)
    options = CheckOptions(
        recordings=session,
        database=db,
        url=url,
        jwt_secret_file=jwt_secret_file,
        on_note=lambda text: console.print(f"note: {text}", markup=False, highlight=False),
    )
    checks = asyncio.run(_gather(options))
    _print(checks)
    _write(out, json.dumps(result_document(checks), ensure_ascii=False, indent=2) + "\n")
    _write(report, render_fidelity(checks, "the reference application" if url is None else url))
    return ExitCode.NO_GO if any(check.is_mismatched for check in checks) else ExitCode.GO


async def _gather(options: CheckOptions) -> list[StepCheck]:
    return [check async for check in check_legacy(options)]


def _print(checks: list[StepCheck]) -> None:
    console = Console(soft_wrap=True, markup=False, highlight=False, emoji=False)
    for check in checks:
        if check.is_mismatched:
            console.print(f"MISMATCH {check.n} {check.name}: {check.method} {check.url} (session {check.session_id})")
            for found in check.mismatches:
                console.print(f"  {found.pointer}\n    recorded: {found.recorded}\n    answered: {found.answered}")
    counts = count_groups(checks)
    for count in (*counts, sum_counts(counts)):
        console.print(_count_line(count))


def _count_line(count: GroupCount) -> str:
    withheld = f", {count.withheld} withheld" if count.withheld else ""
    return f"{count.group:<12} {count.matched}/{count.total} matched{withheld}"


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise unwritable(
            error, where=str(path), hint="Choose a path that can be written.", what="cannot write the result"
        ) from error
