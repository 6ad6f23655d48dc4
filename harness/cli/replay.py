"""`parakeet replay`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli import replay_arguments as given
from harness.cli import replay_load as under_load
from harness.cli.findings import exit_code
from harness.cli.progress import shown_progress
from harness.cli.project_note import tell_whose_rules
from harness.cli.replay_progress import judge_and_print, reading_told
from harness.cli.reproduce import reproduce
from harness.domain.compare.rules import Rules
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.settings import Settings, load_settings
from harness.wiring.finding import find_stored
from harness.wiring.judgement import Judgement
from harness.wiring.replay import replay as replay_pair
from harness.wiring.replay_request import ReplayRequest, SideOptions
from harness.wiring.rules import load_waivers, rules_of_today, waiver_file


def replay(
    *,
    legacy_url: given.LegacyUrl,
    target_url: given.TargetUrl,
    out: Annotated[Path, typer.Option(help="Run directory: new or empty, or with --resume that of a cut-off run.")],
    legacy_db: given.LegacyDb = None,
    target_dsn: given.TargetDsn = None,
    sessions: given.Sessions = None,
    legacy_token: given.LegacyToken = None,
    target_token: given.TargetToken = None,
    legacy_jwt_secret_file: given.LegacySecretFile = None,
    target_jwt_secret_file: given.TargetSecretFile = None,
    waivers: given.Waivers = None,
    config: given.Config = None,
    finding: Annotated[str | None, typer.Option(help="Id of a finding of --run: replays its session alone.")] = None,
    run: Annotated[Path | None, typer.Option(help="With --finding: the run directory that it is in.")] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="Sessions at once that only read; without databases.")
    ] = 1,
    keep_connections: Annotated[
        bool, typer.Option("--keep-connections", help="Several requests a connection: faster, for robust servers.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out that was cut off, from the same inputs.")
    ] = False,
    shrink: Annotated[bool, typer.Option("--shrink", help="With --finding: only the steps that it needs.")] = False,
    rate: under_load.Rate = None,
    count: under_load.Count = 500,
    seconds: under_load.Seconds = 60.0,
    seed: under_load.Seed = "parakeet",
    only_reading: under_load.OnlyReading = False,
    allow_load: under_load.AllowLoad = False,
    worker: under_load.Worker = None,
) -> int:
    """Replay sessions against both addresses, compare answers and rows, and store the evidence.

    With --legacy-db and --target-dsn the state at the start is restored before every session and at the end; both
    databases must carry the marker that `parakeet up` and `parakeet prepare` write. Without them only answers are
    compared. Latency is never judged here.

    With --finding and --run the session of one finding is replayed alone; with --shrink only the steps that it needs,
    found by trying ever smaller parts. The session that repeats it is written into the run directory.

    Whatever ends a run early, `kill -9` included, loses no session that was stored: the same command with --resume
    goes on behind the last one and ends as an unbroken run does. A run that came to its end is only judged again.

    With --rate sessions that leave the state alone are replayed open-loop, at most --concurrency at once, and every
    answer is compared; what is noise is told from the same sessions at rest. Load goes to this machine only. With
    --worker it is sent by Locust workers, each its share from its own address.

    Exit codes: 0 compared and nothing unexplained, 1 a difference that no waiver explains, 2 usage (nothing was
    touched), 3 nothing comparable or a side does not answer, 4 the evidence cannot be written, as on a full disk.

    Example: parakeet replay --legacy-url http://127.0.0.1:8000 --target-url http://127.0.0.1:9000 --out runs/first
    """
    tell_whose_rules()
    used = waiver_file(waivers)
    request = ReplayRequest(
        legacy=SideOptions(url=legacy_url, token=legacy_token, jwt_secret_file=legacy_jwt_secret_file),
        target=SideOptions(url=target_url, token=target_token, jwt_secret_file=target_jwt_secret_file),
        legacy_db=legacy_db,
        target_dsn=target_dsn,
        sessions=tuple(sessions or ()),
        rules=() if used is None else (used,),
        concurrency=concurrency,
        keeps_connections=keep_connections,
        is_resumed=resume,
        on_read=reading_told(),
        out=out,
    )
    settings = load_settings(config)
    rules = rules_of_today(load_waivers(waivers), settings.rows)
    if (finding is None) != (run is None) or (shrink and finding is None):
        hint = "A finding is named by --finding ID and --run DIR together; --shrink goes with both."
        raise ConfigurationError("--finding, --run and --shrink do not fit together", hint=hint)
    if resume and (finding is not None or rate is not None):
        hint = "A finding and a load are replayed whole."
        raise ConfigurationError("--resume goes with neither --finding nor --rate", hint=hint)
    if rate is None and (worker or only_reading or allow_load):
        hint = "Add --rate, or leave them out: without it sessions are replayed at rest."
        raise ConfigurationError("--worker, --only-reading and --allow-load go with --rate only", hint=hint)
    if finding is not None and run is not None:
        return reproduce(request, settings, rules, find_stored(run, finding), is_shrunk=shrink)
    if rate is not None:
        plan = under_load.load_plan(rate, count, seconds, seed)
        load = under_load.load_request(plan, worker or (), only_reading=only_reading, allow_load=allow_load)
        return exit_code(under_load.load_and_judge(request, load, settings, rules))
    return exit_code(replay_and_judge(request, settings, rules))


def replay_and_judge(request: ReplayRequest, settings: Settings, rules: Rules) -> Judgement:
    """Replays with a progress bar, judges and prints; what was seen before a side stopped answering is judged too."""
    stored = 0
    notes = Console(stderr=True, soft_wrap=True, highlight=False)
    with shown_progress("replaying", "sessions") as show:

        def tell(done: int, all_of_them: int) -> None:
            nonlocal stored
            stored = done
            show(done, all_of_them)

        try:
            asyncio.run(replay_pair(request, settings, tell, lambda note: notes.print(f"note: {note}", markup=False)))
        except SystemUnavailable as error:
            if stored:
                judge_and_print(request.out, rules)
            for note in getattr(error, "__notes__", ()):
                notes.print(note, markup=False)
            raise
    return judge_and_print(request.out, rules)
