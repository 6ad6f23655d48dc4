"""`parakeet selftest`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.cli import replay_arguments as given
from harness.cli.progress import shown_progress
from harness.cli.project_note import tell_whose_rules
from harness.cli.replay import replay_and_judge
from harness.domain.compare.rules import Rules
from harness.domain.difference import Facet
from harness.domain.errors import ConfigurationError
from harness.domain.sabotage.detection import Detection, Trial
from harness.settings import load_settings
from harness.wiring.replay_request import ReplayRequest, SideOptions
from harness.wiring.rules import load_waivers, rules_of_today, waiver_file
from harness.wiring.selftest import Selftest, selftest_run

_FILE_WIDTH = 132


def selftest(
    *,
    run: Annotated[Path | None, typer.Option(help="Run directory of an earlier `replay` or `verify`.")] = None,
    legacy_url: Annotated[str | None, typer.Option(help="Without --run: address of the legacy.")] = None,
    target_url: Annotated[str | None, typer.Option(help="Without --run: address of the target.")] = None,
    out: Annotated[Path | None, typer.Option(help="Without --run: directory for the replay, new or empty.")] = None,
    legacy_db: given.LegacyDb = None,
    target_dsn: given.TargetDsn = None,
    sessions: given.Sessions = None,
    legacy_token: given.LegacyToken = None,
    target_token: given.TargetToken = None,
    legacy_jwt_secret_file: given.LegacySecretFile = None,
    target_jwt_secret_file: given.TargetSecretFile = None,
    waivers: given.Waivers = None,
    config: given.Config = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="List every defect, not only those missed.")] = False,
) -> int:
    """Plant known defects in what your two systems answered and stored, and show which of them would be found.

    Works on the stored exchanges of a run, or replays first with the options of `parakeet replay`. Every defect is
    put into every session that has a place for it, and judged under the rules and waivers of today; neither the
    systems nor the run are changed. A defect that is missed says what excuses it, such as a waiver that is too wide.

    Exit codes: 0 all that have a place were detected, 1 one was missed, 2 usage, 3 none has a place in the run.

    Example: parakeet selftest --run runs/first
    """
    tell_whose_rules()
    settings = load_settings(config)
    rules = rules_of_today(load_waivers(waivers), settings.rows)
    if run is None:
        if legacy_url is None or target_url is None or out is None:
            hint = "Give --run, or --legacy-url, --target-url and --out to replay first."
            raise ConfigurationError("there is nothing to plant defects in", hint=hint)
        used = waiver_file(waivers)
        request = ReplayRequest(
            legacy=SideOptions(url=legacy_url, token=legacy_token, jwt_secret_file=legacy_jwt_secret_file),
            target=SideOptions(url=target_url, token=target_token, jwt_secret_file=target_jwt_secret_file),
            legacy_db=legacy_db,
            target_dsn=target_dsn,
            sessions=tuple(sessions or ()),
            rules=() if used is None else (used,),
            out=out,
        )
        replay_and_judge(request, settings, rules)
        run = out
    elif legacy_url or target_url or out:
        hint = "Leave out --run to replay first, or the addresses and --out to use the stored exchanges."
        raise ConfigurationError("--run is given beside options of a replay", hint=hint)
    found = _selftest(run, rules)
    _print(found, verbose=verbose)
    return found.exit_code


def _selftest(run: Path, rules: Rules) -> Selftest:
    with shown_progress("planting defects", "sessions") as show:
        return selftest_run(run, rules, show)


def _print(found: Selftest, *, verbose: bool) -> None:
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(_table(found))
    listed = found.trials if verbose else found.of(Detection.MISSED)
    for trial in listed:
        console.print(_line(trial), markup=False)
    without_place = found.of(Detection.NOT_APPLICABLE)
    if without_place and not verbose:
        names = ", ".join(trial.defect for trial in without_place)
        console.print(f"no session has a place for: {names}", markup=False)
    detected, missed = len(found.of(Detection.DETECTED)), len(found.of(Detection.MISSED))
    places = sum(len(trial.places) for trial in found.trials)
    console.print(f"{detected} of {detected + missed} defects that have a place were detected, in {places} places")


def _table(found: Selftest) -> Table:
    table = Table()
    table.add_column("facet")
    for detection in Detection:
        table.add_column(detection.replace("_", " "), justify="right")
    for facet in Facet:
        tally = found.tally(facet)
        if tally:
            table.add_row(facet, *(str(tally[detection]) for detection in Detection))
    return table


def _line(trial: Trial) -> str:
    text = f"{trial.detection.replace('_', ' ')}: {trial.defect} ({trial.title})"
    place = trial.shown
    if place is None:
        return text
    count = sum(each.is_found for each in trial.places)
    text += f", {count} of {len(trial.places)} places; {place.operation} {trial.facet} {place.pointer}".rstrip()
    text += f", session {place.session_id} step {place.step}"
    text += f"; found as {place.found_as}" if place.found_as else ""
    return text + (f"; excused by {place.explained_by}" if place.explained_by else "")
