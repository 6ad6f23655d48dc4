"""`parakeet fuzz`."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer

from harness.adapters.evidence_store import write_atomically
from harness.domain.errors import ExitCode, unwritable
from harness.domain.fuzz import FuzzFindings, one_of_each
from harness.wiring import fuzz as wiring


def fuzz(
    *,
    target_url: Annotated[str, typer.Option(help="Address of a system that serves /openapi.json.")],
    target_token: Annotated[str | None, typer.Option(help="Bearer token for requests.")] = None,
    examples: Annotated[int, typer.Option(help="Random cases for each operation.", min=1, max=10_000)] = 50,
    seed: Annotated[int, typer.Option(help="The same seed makes the same cases.", min=0)] = wiring.DEFAULT_SEED,
    exclude: Annotated[
        Path | None, typer.Option(help="Accepted answers; default: scenarios/fuzz.toml.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the findings to this JSON file.")] = None,
) -> int:
    """Send cases made from a system's own OpenAPI document and hold every answer against it.

    It writes: never let it at a system whose data matter. Exit codes: 0 nothing is unexplained, 1 something is,
    3 the system does not answer.

    Example: parakeet fuzz --target-url http://127.0.0.1:8000 --examples 50
    """
    exclusions = wiring.load_exclusions(exclude)
    findings = asyncio.run(wiring.fuzz_target(target_url, exclusions, examples=examples, seed=seed, token=target_token))
    _show(findings)
    if out is not None:
        _write(out, findings)
    return ExitCode.GO if findings.passed else ExitCode.NO_GO


def _show(findings: FuzzFindings) -> None:
    seen = findings.observations
    for exclusion, count in findings.excluded:
        typer.echo(f"accepted {count:,}: {exclusion.check}, {exclusion.operation} ({exclusion.quirk})")
    for failure, count in one_of_each(findings.unexplained):
        typer.echo(f"unexplained {count:,}: {failure.check}, {failure.operation}, answered {failure.status}")
        typer.echo(f"{failure.title}: {failure.message}\n{failure.reproduction}")
    for problem in seen.problems:
        typer.echo(f"not judged: {problem}")
    typer.echo(
        f"{seen.cases:,} cases on {seen.operations} operations, {seen.checks:,} checks: "
        f"{findings.server_errors} answers of 5xx, {len(findings.unexplained)} unexplained, seed {seen.seed}"
    )


def _write(path: Path, findings: FuzzFindings) -> None:
    try:
        write_atomically(path, orjson.dumps(wiring.describe_findings(findings), option=orjson.OPT_INDENT_2))
    except OSError as error:
        hint = "Choose a file in a directory that can be written to."
        raise unwritable(error, where=str(path), hint=hint, what="cannot write the findings") from error
