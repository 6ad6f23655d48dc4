"""`parakeet record`."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.capture_journal import finish_recording
from harness.adapters.capture_proxy import ProxyOptions
from harness.cli import replay_arguments as given
from harness.cli.findings import exit_code as judged_exit_code
from harness.cli.project_note import tell_whose_rules
from harness.cli.replay_progress import judge_and_print
from harness.domain.capture.splitting import ClientKey, Splitting
from harness.domain.errors import ConfigurationError, ExitCode
from harness.engine.shadow import ShadowCounts, silence
from harness.settings import load_settings
from harness.wiring.record import Listen, Recording, RecordRequest, parse_listen
from harness.wiring.record import record as record_traffic
from harness.wiring.rules import load_waivers, rules_of_today, waiver_file
from harness.wiring.shadow import ShadowRequest, shadowing


def record(
    *,
    out: Annotated[Path, typer.Option(help="Session file to make; it must not exist.")],
    upstream: Annotated[
        str | None, typer.Option(help="Origin of the system that is recorded: http://HOST:PORT.")
    ] = None,
    listen: Annotated[str, typer.Option(help="HOST:PORT of the proxy; port 0 takes a free one.")] = "127.0.0.1:8080",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen beyond loopback: whoever reaches the port uses the upstream.")
    ] = False,
    split_by: Annotated[ClientKey, typer.Option(help="What tells one client from another.")] = ClientKey.ADDRESS,
    cookie: Annotated[str, typer.Option(help="With --split-by cookie: the name of that cookie.")] = "",
    idle_gap: Annotated[
        float, typer.Option(min=0.001, help="Seconds of silence after which a client begins another session.")
    ] = 1800.0,
    rewrite_host: Annotated[
        bool, typer.Option("--rewrite-host", help="Send the upstream its own Host instead of the client's.")
    ] = False,
    max_body: Annotated[int, typer.Option(min=1, help="MiB of a body that are kept; all of it is handed on.")] = 16,
    shadow: Annotated[str | None, typer.Option(help="Address of the target: it gets a copy of every read.")] = None,
    shadow_out: Annotated[
        Path | None, typer.Option(help="With --shadow: run directory for both sides' answers, new or empty.")
    ] = None,
    shadow_writes: Annotated[
        bool, typer.Option("--shadow-writes", help="With --shadow: copy writes too. They are done twice.")
    ] = False,
    waivers: given.Waivers = None,
    config: given.Config = None,
    recover: Annotated[
        Path | None, typer.Option(help="Finish what a killed recording left (FILE.part), and record nothing.")
    ] = None,
) -> int:
    """Record traffic as sessions: a proxy that hands requests on to a system and writes them down.

    Ctrl-C or SIGTERM ends it and finishes the file, which `parakeet replay --sessions FILE` takes. Values that an
    answer gave and a later request uses become references; secrets are never written. A kill loses at most what was
    on its way: --recover finishes the file. If the disk is full, recording stops and traffic goes on.

    With --shadow the target gets a copy of every read once the client has its answer, and both answers are compared
    while traffic passes; what is found is printed at the end and kept in --shadow-out, for `compare` and `report`. The
    client never waits for the target, and writes are not copied unless --shadow-writes says so.

    Exit codes: 0 recorded, and nothing unexplained; 1 the shadow answered differently; 2 usage; 3 nothing was recorded
    (then there is no file), nothing was comparable, or the shadow did not answer each copy; 4 the disk refused a part.

    Example: parakeet record --listen 127.0.0.1:8080 --upstream http://127.0.0.1:8000 --out recorded.jsonl
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if recover is not None:
        return _recover(console, recover, out)
    request = RecordRequest(
        listen=_listen(console, listen, allow_remote=allow_remote),
        upstream=_required(upstream),
        out=out,
        splitting=_splitting(split_by, cookie, idle_gap),
        proxy=ProxyOptions(keeps_host=not rewrite_host, max_kept_bytes=max_body * 1024 * 1024),
    )
    copies = _shadow(shadow, shadow_out, writes=shadow_writes, waivers=waivers, config=config)
    recording, counts = asyncio.run(_run(console, request, copies))
    print_recording(console, recording, out)
    code = exit_code(recording)
    if copies is None or code is ExitCode.HARNESS_FAILED:
        return code
    if not counts.compared:
        return ExitCode.INCONCLUSIVE
    judged = judged_exit_code(judge_and_print(copies.out, copies.rules))
    return ExitCode.INCONCLUSIVE if judged is ExitCode.GO and counts.absent else judged


async def _run(
    console: Console, request: RecordRequest, copies: ShadowRequest | None
) -> tuple[Recording, ShadowCounts]:
    """The recording, and what became of the copies for the shadow."""

    def note(text: str) -> None:
        console.print(f"note: {text}", markup=False)

    def ready(url: str) -> None:
        console.print(f"recording {url} -> {request.upstream}; Ctrl-C ends it", markup=False)

    if copies is None:
        return await record_traffic(request, ready, note), ShadowCounts()
    async with shadowing(copies, request, note) as shadow:
        recording = await record_traffic(request, ready, note, shadow.take)
    print_shadow(console, shadow.counts)
    if shadow.failures:
        raise shadow.failures[0]
    return recording, shadow.counts


def exit_code(recording: Recording) -> ExitCode:
    """As the help says."""
    if recording.failure is not None:
        return ExitCode.HARNESS_FAILED
    return ExitCode.INCONCLUSIVE if recording.finished is None else ExitCode.GO


def print_recording(console: Console, recording: Recording, out: Path) -> None:
    """What was recorded, and everything that was not."""
    counts = recording.counts
    notes = [
        f"left out {count} requests: {reason} (first: {counts.examples.get(reason, 'unknown')})"
        for reason, count in sorted(counts.left_out.items())
    ]
    notes += _counted(
        recording.unanswered, "requests were not answered by the upstream; those that did not reach it are not recorded"
    )
    notes += _counted(recording.overrun, "exchanges were not recorded, since too many waited for the disk")
    notes += _counted(counts.lost, "exchanges were not recorded, since the disk refused them")
    withheld = "requests came with credentials that no answer gave: they are withheld; give replay a --legacy-token"
    notes += _counted(counts.withheld, withheld)
    notes += _counted(counts.with_secret, "requests hold the mark of a secret, such as a password: write it in by hand")
    for note in notes:
        console.print(f"note: {note}", markup=False)
    if recording.finished is None:
        console.print("nothing was recorded, and no file was written")
        return
    done = recording.finished
    console.print(
        f"{_many(done.steps, 'request')} in {_many(done.sessions, 'session')}, "
        f"{_many(done.references, 'reference')} to earlier answers: {out}",
        markup=False,
    )


def print_shadow(console: Console, counts: ShadowCounts) -> None:
    """What was copied, and everything that was not."""
    notes = [
        *_counted(counts.writes, "writes were not copied to the shadow"),
        *_counted(
            counts.unanswered, "copies were not answered by the shadow, or not in time: no GO comes of what is missing"
        ),
        *_counted(counts.unsettled, "reads were not compared, since something was written meanwhile"),
        *_counted(counts.dropped, "exchanges were not copied, since too many waited"),
        *_counted(counts.incomplete, "exchanges were not compared, since they were not kept whole (see --max-body)"),
    ]
    if reason := silence(counts):
        notes.append(reason)
    for text in notes:
        console.print(f"note: {text}", markup=False)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _counted(count: int, text: str) -> list[str]:
    return [f"{count} {text}"] if count else []


def _recover(console: Console, part: Path, out: Path) -> ExitCode:
    done = finish_recording(part, out)
    if not done.steps:
        console.print("nothing had been recorded, and no file was written")
        return ExitCode.INCONCLUSIVE
    console.print(f"{_many(done.steps, 'request')} in {_many(done.sessions, 'session')}: {out}", markup=False)
    return ExitCode.GO


def _required(upstream: str | None) -> str:
    if upstream is None:
        hint = "Give --upstream http://HOST:PORT, or --recover FILE.part to finish what a killed recording left."
        raise ConfigurationError("the system to record is not named", hint=hint)
    return upstream


def _listen(console: Console, text: str, *, allow_remote: bool) -> Listen:
    found = parse_listen(text)
    if found.is_loopback:
        return found
    if not allow_remote:
        hint = "Listen at 127.0.0.1, or add --allow-remote if every machine that reaches the port may use the upstream."
        raise ConfigurationError("the proxy would be reachable from other machines", where=text, hint=hint)
    console.print(f"warning: {text} is no loopback address; whoever reaches it uses the upstream", markup=False)
    return found


def _splitting(by: ClientKey, cookie: str, idle_gap: float) -> Splitting:
    if (by is ClientKey.COOKIE) != bool(cookie):
        hint = "Use --split-by cookie and --cookie NAME together."
        raise ConfigurationError("the cookie that tells clients apart is not clear", hint=hint)
    return Splitting(by=by, cookie=cookie, idle_gap=timedelta(seconds=idle_gap))


def _shadow(
    target: str | None, out: Path | None, *, writes: bool, waivers: Path | None, config: Path | None
) -> ShadowRequest | None:
    if (target is None) != (out is None) or (writes and target is None):
        hint = "Use --shadow URL and --shadow-out DIR together; --shadow-writes goes with both."
        raise ConfigurationError("--shadow, --shadow-out and --shadow-writes do not fit together", hint=hint)
    if target is None or out is None:
        return None
    tell_whose_rules()
    rules = rules_of_today(load_waivers(waivers), load_settings(config).rows)
    used = waiver_file(waivers)
    files = () if used is None else (used,)
    return ShadowRequest(target=target, out=out, sends_writes=writes, rules=rules, rule_files=files)
