"""`parakeet parity isolation`."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.duration import seconds_of
from harness.cli.progress import shown_stages
from harness.domain.errors import ExitCode
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.timeline import draw_timeline
from harness.engine.isolation_campaign import DEFAULT_SEED
from harness.settings import load_settings
from harness.wiring.isolation import IsolationFindings, IsolationRequest, check_isolation, load_isolation


def isolation(  # noqa: PLR0917 - an option each
    target_url: Annotated[str | None, typer.Option(help="The target, on this machine; none: start both.")] = None,
    target_token: Annotated[str | None, typer.Option(help="Bearer token for the target.")] = None,
    legacy_url: Annotated[str | None, typer.Option(help="The legacy, to hold the serial model against.")] = None,
    duration: Annotated[str, typer.Option("--for", help="How long, such as 60s or 10m; at most an hour.")] = "60s",
    clients: Annotated[int, typer.Option(min=2, max=64, help="Concurrent clients.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same requests.")] = DEFAULT_SEED,
    until_found: Annotated[bool, typer.Option("--until-found", help="End at the first finding.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(help="Operations; default: scenarios/isolation.toml.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New directory for histories, findings and timelines.")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Let concurrent clients loose on a few rows, and judge every answer by a serial model of the legacy.

    Lost updates, double closes, write skew, phantom pages, stale and dirty reads are reported with the smallest
    counterexample, drawn as a timeline. It writes, and deletes what it wrote. Exit codes: 0 every history has a serial
    explanation, 1 one has none, 3 no two writes met, or a search took too long.

    Example: parakeet parity isolation --for 60s

    Example: parakeet parity isolation --target-url http://127.0.0.1:8080 --for 10m --clients 16 --out artifacts/races
    """
    request = IsolationRequest(
        settings=load_settings(config),
        scenario=load_isolation(scenario),
        target_url=target_url,
        target_token=target_token,
        legacy_url=legacy_url,
        duration_s=seconds_of(duration, "--for"),
        clients=clients,
        seed=seed,
        ends_at_first_finding=until_found,
        out=out,
    )
    findings = _check(request)
    _show(findings)
    if not findings.passed:
        return ExitCode.NO_GO
    return ExitCode.GO if findings.is_comparable else ExitCode.INCONCLUSIVE


def _check(request: IsolationRequest) -> IsolationFindings:
    with shown_stages("starting") as show:
        return asyncio.run(check_isolation(_telling(request, show)))


def _telling(request: IsolationRequest, tell: Callable[[str], None]) -> IsolationRequest:
    return replace(request, tell=tell)


def _show(findings: IsolationFindings) -> None:
    if findings.model is not None:
        _show_findings(findings.model, "the model is wrong of the legacy: ")
        verdict = "contradicts" if findings.model.found else "agrees with"
        print(
            f"the serial model {verdict} the legacy on {findings.model.histories:,} serial histories, "
            f"{findings.model.operations:,} operations"
        )
    _show_findings(findings.target, "")
    found = findings.target
    print(f"{found.histories:,} histories, {found.contended:,} with writes that met; seed {found.seed}")
    print(f"{found.operations:,} operations in {found.duration_s:.0f} s, {found.unknown:,} without an outcome")
    print(f"{found.searches:,} searches, {found.undecided:,} undecided, {sum(found.found.values()):,} findings")


def _show_findings(campaign: Campaign, beginning: str) -> None:
    for finding, count in campaign.findings:
        print(f"{beginning}{count:,} × {draw_timeline(finding)}\n")
