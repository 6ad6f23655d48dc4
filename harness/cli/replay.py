"""`parakeet replay`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from harness.cli.findings import exit_code, print_judgement
from harness.domain.compare.rules import Rules
from harness.domain.errors import ExitCode, SystemUnavailable
from harness.settings import Settings, load_settings
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.rejudge import render_judged
from harness.wiring.replay import ReplayRequest, SideOptions
from harness.wiring.replay import replay as replay_pair
from harness.wiring.rules import load_waivers, rules_of_today, waiver_file
from reports import html


def replay(
    *,
    legacy_url: Annotated[str, typer.Option(help="Address of the legacy.")],
    target_url: Annotated[str, typer.Option(help="Address of the target.")],
    out: Annotated[Path, typer.Option(help="Run directory: new or empty.")],
    legacy_db: Annotated[
        Path | None, typer.Option(help="SQLite file that the legacy has open; marked as disposable.")
    ] = None,
    target_dsn: Annotated[str | None, typer.Option(help="The target's PostgreSQL; marked as disposable.")] = None,
    sessions: Annotated[
        list[str] | None, typer.Option(help="Session file or glob; repeatable. Default: scenarios/sessions/**")
    ] = None,
    legacy_token: Annotated[
        str | None, typer.Option(help="Bearer token for requests to the legacy that bring no credentials.")
    ] = None,
    target_token: Annotated[
        str | None, typer.Option(help="Bearer token for requests to the target that bring no credentials.")
    ] = None,
    legacy_jwt_secret_file: Annotated[
        Path | None, typer.Option(help="File with the secret that the legacy's `auth` tokens are made with.")
    ] = None,
    target_jwt_secret_file: Annotated[
        Path | None, typer.Option(help="File with the secret that the target's `auth` tokens are made with.")
    ] = None,
    waivers: Annotated[Path | None, typer.Option(help="Default: scenarios/waivers.toml")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Replay sessions against both addresses, compare answers and rows, and store the evidence.

    With --legacy-db and --target-dsn the state at the start is restored before every session and at the end; both
    databases must carry the marker that `parakeet up` and `parakeet prepare` write. Without them only answers are
    compared. Latency is never judged here.

    Exit codes: 0 compared and nothing unexplained, 1 a difference that no waiver explains, 2 usage (nothing was
    touched), 3 nothing comparable or a side does not answer.

    Example: parakeet replay --legacy-url http://127.0.0.1:8000 --target-url http://127.0.0.1:9000 --out runs/first
    """
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
    settings = load_settings(config)
    return _replay(request, settings, rules_of_today(load_waivers(waivers), settings.rows))


def _replay(request: ReplayRequest, settings: Settings, rules: Rules) -> ExitCode:
    stored = 0
    with _progress() as bar:
        task = bar.add_task("replaying", total=None)

        def tell(done: int, all_of_them: int) -> None:
            nonlocal stored
            stored = done
            bar.update(task, completed=done, total=all_of_them)

        try:
            asyncio.run(
                replay_pair(request, settings, tell, lambda note: bar.console.print(f"note: {note}", markup=False))
            )
        except SystemUnavailable as error:
            if stored:
                _judge(request.out, rules)
            for note in getattr(error, "__notes__", ()):
                bar.console.print(note, markup=False)
            raise
    return exit_code(_judge(request.out, rules))


def _judge(out: Path, rules: Rules) -> Judgement:
    judgement = judge_run(out, rules)
    print_judgement(judgement)
    render_judged(out, judgement, rules)
    Console(soft_wrap=True, highlight=False).print(f"report: {out / html.FILE_NAME}", markup=False)
    return judgement


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("sessions"))
    return Progress(*columns, console=Console(stderr=True), transient=True)
