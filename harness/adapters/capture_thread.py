"""Writes exchanges down beside the traffic: in one thread, in the order in which they ended, with bounded waiting."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from harness.adapters.capture_recorder import Recorder
from harness.domain.capture.steps import Captured

_log = logging.getLogger(__name__)
_MAX_WAITING_BYTES = 256 * 1024 * 1024
_PATIENCE_S = 0.25
"""How long an answer waits for earlier exchanges to be written, so that a slow disk slows no client for long."""


class RecordingThread:
    """Hands exchanges to a recorder; `on_recorded` is called in the thread, with the number of the session."""

    def __init__(self, recorder: Recorder, on_recorded: Callable[[Captured, int], None] = lambda _c, _n: None) -> None:
        self.overrun = 0
        """Exchanges that were not taken, since too many waited."""
        self._recorder = recorder
        self._on_recorded = on_recorded
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="record")
        self._latest: Future[None] | None = None
        self._waiting_bytes = 0
        self._lock = threading.Lock()

    def take(self, captured: Captured) -> None:
        """Accepts an exchange, and returns at once."""
        size = _size(captured)
        with self._lock:
            if self._waiting_bytes + size > _MAX_WAITING_BYTES:
                self.overrun += 1
                return
            self._waiting_bytes += size
        self._latest = self._executor.submit(self._record, captured, size)

    async def caught_up(self) -> None:
        """Returns once all that was accepted is written, or after a quarter of a second."""
        latest = self._latest
        if latest is not None and not latest.done():
            await asyncio.wait([asyncio.wrap_future(latest)], timeout=_PATIENCE_S)

    async def close(self) -> None:
        """Writes what waits, and ends the thread: it has ended when this returns or raises."""
        latest = self._latest
        try:
            if latest is not None and not latest.done():
                await asyncio.wait([asyncio.wrap_future(latest)])
        finally:
            self._executor.shutdown()

    def _record(self, captured: Captured, size: int) -> None:
        try:
            number = self._recorder.take(captured)
            self._on_recorded(captured, number)
        except Exception:  # noqa: BLE001 - the process edge: no exchange may end the recording
            _log.exception("an exchange could not be recorded")
            self._recorder.counts.left_out["the recorder failed on it"] += 1
        finally:
            with self._lock:
                self._waiting_bytes -= size


def _size(captured: Captured) -> int:
    exchange = captured.exchange
    answer = 0 if exchange.response is None else len(exchange.response.body)
    return len(exchange.request.body or b"") + answer + 1024
