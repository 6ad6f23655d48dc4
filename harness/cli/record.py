"""`parakeet record`."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.adapters.capture_journal import finish_recording
from harness.adapters.capture_proxy import ProxyOptions
from harness.domain.capture.splitting import ClientKey, Splitting
from harness.domain.errors import ConfigurationError, ExitCode
from harness.wiring.record import Listen, Recording, RecordRequest, parse_listen
from harness.wiring.record import record as record_traffic


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
    recover: Annotated[
        Path | None, typer.Option(help="Finish what a killed recording left (FILE.part), and record nothing.")
    ] = None,
) -> int:
    """Record traffic as sessions: a proxy that hands requests on to a system and writes them down.

    Ctrl-C or SIGTERM ends it and finishes the file, which `parakeet replay --sessions FILE` takes. Values that an
    answer gave and a later request uses become references; secrets are never written. A kill loses at most what was
    on its way: --recover finishes the file. If the disk is full, recording stops and traffic goes on.

    Exit codes: 0 recorded, 2 usage, 3 nothing was recorded (then there is no file), 4 the disk refused a part.

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
    recording = asyncio.run(
        record_traffic(
            request,
            lambda url: console.print(f"recording {url} -> {request.upstream}; Ctrl-C ends it", markup=False),
            lambda note: console.print(f"note: {note}", markup=False),
        )
    )
    print_recording(console, recording, out)
    return exit_code(recording)


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
        f"{done.steps} requests in {done.sessions} sessions, {done.references} references to earlier answers: {out}",
        markup=False,
    )


def _counted(count: int, text: str) -> list[str]:
    return [f"{count} {text}"] if count else []


def _recover(console: Console, part: Path, out: Path) -> ExitCode:
    done = finish_recording(part, out)
    if not done.steps:
        console.print("nothing had been recorded, and no file was written")
        return ExitCode.INCONCLUSIVE
    console.print(f"{done.steps} requests in {done.sessions} sessions: {out}", markup=False)
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
