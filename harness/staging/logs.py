"""Carries what execution environments wrote into CloudWatch Logs: batched, beside the invocations, under their roles.

Source: Amazon CloudWatch Logs API reference, PutLogEvents; AWS Lambda developer guide, "Sending function logs".
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.staging.aws import client
from harness.staging.log_streams import log_group_of, stream_of

_log = logging.getLogger(__name__)

_PERIOD_S = 2.0
_MAX_EVENTS = 1000
_MAX_EVENT_BYTES = 256 * 1024 - 26


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where one function's environments write, a file each, and the group and key that it is shipped under."""

    function_key: str
    directory: Path
    log_group: str
    access_key_id: str


class LogShipper:
    """Follows the environments' log files; the files stay the truth, and a failure to ship never reaches a caller."""

    def __init__(
        self, sources: tuple[LogSource, ...], *, endpoint: str, region: str, period_s: float = _PERIOD_S
    ) -> None:
        self._sources = sources
        self._endpoint = endpoint
        self._region = region
        self._period_s = period_s
        self._offsets: dict[Path, int] = {}
        self._clients: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ships from now on, every `period_s`."""
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Ships what is left, whole or not; safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(self.ship, is_last=True)

    async def _follow(self) -> None:
        # Now, while the first environments start: making a client holds the interpreter long enough to be measured.
        await asyncio.shield(asyncio.to_thread(lambda: [self._client(source) for source in self._sources]))
        while True:
            await asyncio.sleep(self._period_s)
            # Shielded: a batch that is half on its way is finished, or `stop` would send it twice.
            await asyncio.shield(asyncio.to_thread(self.ship))

    def ship(self, *, is_last: bool = False) -> None:
        """Sends every complete line that was not sent yet, and with `is_last` what has no end yet."""
        for source in self._sources:
            for path in sorted(source.directory.glob("*.log")):
                try:
                    self._ship_file(source, path, is_last=is_last)
                except (ClientError, BotoCoreError, OSError) as error:
                    _log.warning("the log of %s was not shipped: %s", source.function_key, error)

    def _ship_file(self, source: LogSource, path: Path, *, is_last: bool) -> None:
        offset = self._offsets.get(path, 0)
        if path.stat().st_size <= offset:
            return
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
        end = len(content) if is_last else content.rfind(b"\n") + 1
        lines = [line for line in content[:end].decode("utf-8", "replace").split("\n") if line.strip()]
        logs, stream = self._client(source), stream_of(path)
        names = {"logGroupName": source.log_group, "logStreamName": stream}
        if lines and path not in self._offsets:
            # An answer that came too late is asked for again, and by then the stream is there.
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(**names)
            self._offsets[path] = offset
        now_ms = int(time.time() * 1000)
        for start in range(0, len(lines), _MAX_EVENTS):
            batch = [{"timestamp": now_ms, "message": _cut(line)} for line in lines[start : start + _MAX_EVENTS]]
            logs.put_log_events(**names, logEvents=batch)
        if lines:
            self._offsets[path] = offset + end

    def _client(self, source: LogSource) -> Any:
        if source.function_key not in self._clients:
            self._clients[source.function_key] = client(
                "logs", endpoint=self._endpoint, region=self._region, access_key_id=source.access_key_id
            )
        return self._clients[source.function_key]


def source_of(function_key: str, name: str, directory: Path, access_key_id: str) -> LogSource:
    """The source of a function that runs in `directory`."""
    return LogSource(
        function_key=function_key,
        directory=directory / "logs",
        log_group=log_group_of(name),
        access_key_id=access_key_id,
    )


def _cut(line: str) -> str:
    return line.encode()[:_MAX_EVENT_BYTES].decode("utf-8", "ignore")
