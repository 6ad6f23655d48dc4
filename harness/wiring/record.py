"""A recording: a proxy before the legacy, a journal behind it, and the session file that it ends as."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from harness.adapters.capture_journal import CaptureJournal, Finished, finish_recording
from harness.adapters.capture_proxy import CaptureProxy, ProxyOptions
from harness.adapters.capture_recorder import Recorder, RecordingCounts
from harness.adapters.capture_thread import RecordingThread
from harness.adapters.capture_upstream import Upstream
from harness.domain.capture.splitting import Splitting
from harness.domain.capture.steps import Captured
from harness.domain.errors import ConfigurationError
from harness.domain.redaction import Redactor

OnRecorded = Callable[[Captured, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the proxy listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """What `parakeet record` is asked for."""

    listen: Listen
    upstream: str
    out: Path
    splitting: Splitting = field(default_factory=Splitting)
    proxy: ProxyOptions = field(default_factory=ProxyOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How a recording ended; `finished` is None where nothing was recorded."""

    counts: RecordingCounts
    unanswered: int
    overrun: int
    failure: OSError | None
    finished: Finished | None


def parse_listen(text: str) -> Listen:
    """`HOST:PORT`, `:PORT` or `PORT`; loopback where no host is given.

    Raises:
        ConfigurationError: it is none of these.
    """
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        hint = "Give an address such as 127.0.0.1:8080; port 0 takes a free one."
        raise ConfigurationError(f"not an address to listen at: {text!r}", hint=hint)
    return Listen(host=host, port=int(port))


async def record(
    request: RecordRequest,
    on_ready: Callable[[str], None],
    on_note: Callable[[str], None],
    on_recorded: OnRecorded = lambda _captured, _number: None,
) -> Recording:
    """Records until it is cancelled, then finishes the file; `on_ready` is told the proxy's address.

    To cancel is the ordinary way to end it, at whatever moment. Where that is done again, answers on their way are cut
    off, and the file is finished all the same.

    Raises:
        ConfigurationError: an address or the file cannot be used; nothing is left.
        HarnessError: the file cannot be finished; its journal stays.
    """
    upstream = Upstream(request.upstream)
    _require_no_loop(request)
    journal = CaptureJournal(request.out)
    recorder = Recorder(journal, request.splitting, Redactor(key=secrets.token_bytes(32)), _on_failure(on_note))
    thread = RecordingThread(recorder, on_recorded)
    proxy = CaptureProxy(
        upstream,
        on_exchange=thread.take,
        before_answer=thread.caught_up,
        on_outage=_once_each(lambda why: on_note(f"the upstream does not answer (clients get a 502 or 504): {why}")),
        options=request.proxy,
    )
    try:
        with suppress(asyncio.CancelledError):
            async with _serving(proxy, thread, request.listen, journal):
                if not await upstream.is_reachable():
                    on_note(f"nothing listens at {upstream.origin} yet; clients get a 502 until something does")
                on_ready(proxy.url)
                await asyncio.Event().wait()
    finally:
        journal.close()
    finished = finish_recording(journal.path, request.out)
    return Recording(
        counts=recorder.counts,
        unanswered=proxy.counts.unanswered,
        overrun=thread.overrun,
        failure=recorder.failure,
        finished=finished if finished.steps else None,
    )


@asynccontextmanager
async def _serving(
    proxy: CaptureProxy, thread: RecordingThread, listen: Listen, journal: CaptureJournal
) -> AsyncIterator[None]:
    try:
        try:
            await proxy.start(listen.host, listen.port)
        except OSError as error:
            journal.path.unlink()
            hint = "Give another port, or end what listens there; port 0 takes a free one."
            where = f"{listen.host}:{listen.port}"
            raise ConfigurationError(f"cannot listen: {error.strerror or error}", where=where, hint=hint) from error
        yield
    finally:
        try:
            await proxy.stop()
        finally:
            await thread.close()


def _require_no_loop(request: RecordRequest) -> None:
    if is_proxy(request, request.upstream):
        raise ConfigurationError("the upstream is the proxy itself", where=request.upstream, hint="Give another port.")


def is_proxy(request: RecordRequest, url: str) -> bool:
    """Whether the address is that of the proxy."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return bool(request.listen.port) and (host, parts.port) == (request.listen.host, request.listen.port)


def _on_failure(on_note: Callable[[str], None]) -> Callable[[OSError], None]:
    def tell(error: OSError) -> None:
        on_note(f"recording has stopped: {error.strerror}. Requests are still handed on; what was recorded is kept")

    return tell


def _once_each(tell: Callable[[str], None]) -> Callable[[str], None]:
    told: set[str] = set()

    def tell_once(text: str) -> None:
        if text not in told:
            told.add(text)
            tell(text)

    return tell_once
