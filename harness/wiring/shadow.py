"""A shadow beside a recording: the target's answers judged while traffic passes, and kept as a run."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from harness.adapters.evidence_store import EvidenceStore, open_run
from harness.adapters.http import HttpOptions, HttpSide, utc_now
from harness.domain.capture.steps import Captured
from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.errors import ConfigurationError, HarnessError
from harness.domain.exchange import Side
from harness.domain.finding_records import difference_records
from harness.domain.findings import DifferenceOutcome
from harness.domain.identity import Identity
from harness.domain.record import SessionRecord
from harness.engine.shadow import Shadow, ShadowCounts, ShadowOptions
from harness.uninterrupted import run_to_its_end
from harness.wiring.manifest import RunInputs, new_manifest
from harness.wiring.record import OnRecorded, RecordRequest, is_proxy

_TIMEOUT_S = 30.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRequest:
    """What is asked for with `--shadow`."""

    target: str
    out: Path
    sends_writes: bool = False
    rules: Rules
    rule_files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningShadow:
    """`take` accepts what was recorded, in any thread; `counts` and `failure` are final once the context is left."""

    take: OnRecorded
    counts: ShadowCounts
    failures: list[HarnessError]
    """Why records could not be stored: then the first reason, and what followed is not there."""


@asynccontextmanager
async def shadowing(
    request: ShadowRequest, recording: RecordRequest, on_note: Callable[[str], None]
) -> AsyncIterator[RunningShadow]:
    """Sends copies to the target until the context is left, judges them live and stores them in `request.out`.

    Each signature is told to `on_note` when it is first seen. Whatever happens to the task, nothing is sent or judged
    afterwards, and what was compared is kept as a finished run.

    Raises:
        ConfigurationError: an address or the directory cannot be used; nothing was sent or written.
    """
    target = HttpSide(Side.TARGET, request.target, options=HttpOptions(timeout_s=_TIMEOUT_S))
    if request.target.rstrip("/") == recording.upstream.rstrip("/"):
        raise ConfigurationError("the shadow is the upstream itself", where=request.target, hint="Give the target.")
    if is_proxy(recording, request.target):
        what = "the shadow is the proxy itself: each copy would be copied again"
        raise ConfigurationError(what, where=request.target, hint="Give the target.")
    store = open_run(request.out, new_manifest(_inputs(request, recording), utc_now()))
    judged = _Judged(store, request.rules, on_note)
    options = ShadowOptions(
        sends_writes=request.sends_writes,
        keeps_host=recording.proxy.keeps_host,
        new_identity=partial(Identity, request.rules.row_mapping),
    )
    shadow = Shadow(target, recording.out.name.split(".", 1)[0], judged.take, options)
    shadow.start()
    loop = asyncio.get_running_loop()

    def take(captured: Captured, session: int) -> None:
        loop.call_soon_threadsafe(shadow.take, captured, session)

    try:
        try:
            yield RunningShadow(take=take, counts=shadow.counts, failures=judged.failures)
            await asyncio.sleep(0)  # what the recorder handed over last is taken first
        finally:
            await shadow.stop()
    finally:
        # All that was compared is kept, however it came to the end.
        judged.close()
        try:
            _finish(store, shadow.counts)
        finally:
            store.close()
            await run_to_its_end(target.close())


def _finish(store: EvidenceStore, counts: ShadowCounts) -> None:
    if store.finished_sessions:
        store.finish(utc_now())
        if counts.absent:
            store.update_manifest(finished_at=None)  # what the target never answered is missing: no GO comes of it
    store.discard()  # where nothing was compared


class _Judged:
    """Judges and stores records in a thread of its own: many that wait are written at once."""

    def __init__(self, store: EvidenceStore, rules: Rules, on_note: Callable[[str], None]) -> None:
        self.failures: list[HarnessError] = []
        self._store = store
        self._rules = rules
        self._on_note = on_note
        self._seen: set[str] = set()
        self._waiting: list[SessionRecord] = []
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shadow")

    def take(self, record: SessionRecord) -> None:
        """Accepts a record, and returns at once."""
        with self._lock:
            self._waiting.append(record)
            is_first = len(self._waiting) == 1
        if is_first:
            self._thread.submit(self._write)

    def close(self) -> None:
        """Returns once everything is written."""
        self._thread.shutdown()

    def _write(self) -> None:
        with self._lock:
            records, self._waiting = self._waiting, []
        if self.failures:
            return
        try:
            for record in records:
                self._tell_new(record)
            self._store.append_encoded({record.session_id: self._store.encode(record) for record in records})
        except HarnessError as error:
            self.failures.append(error)
            self._on_note(f"comparing has stopped: {error}. Requests are still handed on and recorded")

    def _tell_new(self, record: SessionRecord) -> None:
        steps = {step.pair.step: step for step in record.steps}
        for comparison in judge_session(record, self._rules):
            for found in difference_records(comparison, steps.get(comparison.step)):
                if found.outcome is DifferenceOutcome.DIFFERENT and found.signature not in self._seen:
                    self._seen.add(found.signature)
                    self._on_note(f"different: {found.signature} (first at {record.session_id})")


def _inputs(request: ShadowRequest, recording: RecordRequest) -> RunInputs:
    urls = (recording.upstream, request.target)
    is_local = all((urlsplit(url).hostname or "") in _LOOPBACK for url in urls)
    return RunInputs(
        command=("parakeet", "record", "--upstream", urls[0], "--shadow", urls[1], "--shadow-out", str(request.out)),
        environment="local" if is_local else "remote",
        profile="replay",
        rules=request.rule_files,
    )
