"""`parakeet compare`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.evidence_files import load_manifest
from harness.cli.findings import exit_code, print_judgement
from harness.cli.progress import shown_progress
from harness.cli.project_note import tell_whose_rules
from harness.domain.errors import ExitCode
from harness.domain.findings import DifferenceOutcome
from harness.settings import load_settings
from harness.wiring.finding import StoredFinding, body_patch, find_stored
from harness.wiring.judgement import judge_run
from harness.wiring.plan import require_criteria_of
from harness.wiring.rejudge import render_judged
from harness.wiring.rules import load_waivers, rules_of_today
from reports.seal import require_same_exchanges


def compare(
    run: Annotated[Path, typer.Option(help="Run directory of an earlier `replay` or `verify`.")],
    waivers: Annotated[Path | None, typer.Option(help="Default: scenarios/waivers.toml")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
    finding: Annotated[str | None, typer.Option(help="Show this finding of the run as it is stored, alone.")] = None,
) -> int:
    """Compare the stored exchanges of a run again, under the rules of today; sends no traffic.

    Writes that run's findings, decision and report anew. Secrets were replaced when the run was stored: they are
    compared for equality only. With --finding nothing is written: both values, the requests as curl commands and the
    RFC 6902 patch from the legacy's body to the target's are printed.

    Exit codes: 0 compared and nothing unexplained, 1 a difference that no waiver explains, 2 the run cannot be read,
    3 nothing comparable, or the run was cut off.

    Example: parakeet compare --run runs/first
    """
    if finding is not None:
        return _show(find_stored(run, finding))
    tell_whose_rules()
    manifest = load_manifest(run)
    require_criteria_of(manifest)
    if manifest.finished_at is not None:
        require_same_exchanges(run)
    rules = rules_of_today(load_waivers(waivers), load_settings(config).rows)
    with shown_progress("comparing", "sessions") as show:
        judgement = judge_run(run, rules, lambda done: show(done, None))
    print_judgement(judgement)
    render_judged(run, judgement, rules)
    code = exit_code(judgement)
    if code is ExitCode.GO and manifest.finished_at is None:
        Console(stderr=True, soft_wrap=True).print("the run was cut off: what is missing was not compared")
        return ExitCode.INCONCLUSIVE
    return code


def _show(stored: StoredFinding) -> ExitCode:
    found = stored.difference
    lines = (
        f"{found.id}: {found.signature}",
        f"in      {found.session_id} step {found.step}, {found.name}",
        f"at      {found.pointer or found.facet}, {found.outcome} {found.waiver}".rstrip(),
        f"legacy  {'(absent)' if found.legacy is None else found.legacy}",
        f"target  {'(absent)' if found.target is None else found.target}",
        found.curl_legacy,
        found.curl_target,
        body_patch(stored),
    )
    for line in lines:
        Console(soft_wrap=True, highlight=False).print(line, markup=False)
    return ExitCode.NO_GO if found.outcome is DifferenceOutcome.DIFFERENT else ExitCode.GO
