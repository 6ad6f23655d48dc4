"""One execution environment: an operating-system process that runs a function's artifact, one event at a time."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.child import Child
from harness.staging.function_launch import FunctionLaunch, process_variables
from harness.staging.log_streams import log_file_name
from harness.staging.process_memory import peak_resident_mb, resident_mb
from harness.staging.report_lines import (
    InvocationReport,
    InvocationStatus,
    render_report_lines,
    render_start_line,
)
from harness.staging.runtime_api import RuntimeAnswer, RuntimeApi, RuntimeInvocation

OUT_OF_MEMORY = "Runtime.OutOfMemory"
TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"


class EnvironmentEnded(Exception):
    """The process is gone; `error_type` is Lambda's name for why."""

    def __init__(self, error_type: str, message: str) -> None:
        self.answer = describe_error(error_type, message)
        super().__init__(f"{error_type}: {message}")


class EventNotDelivered(Exception):
    """The process ended before it saw the event, which may go to another one."""


class InitFailed(Exception):
    """INIT ended without a request for an event; `answer` is the error in Lambda's form."""

    def __init__(self, answer: RuntimeAnswer, report: InvocationReport, *, log_tail: str) -> None:
        self.answer = answer
        self.report = report
        super().__init__(f"{answer.error_type}; its log ends:\n{log_tail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """An invocation that reached the function; with `answer.error_type`, one that failed in it."""

    answer: RuntimeAnswer
    report: InvocationReport


class ExecutionEnvironment:
    """A process from INIT to its end."""

    def __init__(self, launch: FunctionLaunch) -> None:
        self.identifier = uuid.uuid4().hex
        self.idle_since = time.monotonic()
        self._launch = launch
        self._api = RuntimeApi(function_arn=launch.function_arn, on_waiting=self._freeze)
        self._child: Child | None = None
        self._exit_watch: int | None = None
        self._ended: EnvironmentEnded | None = None
        self._init_ms: float | None = None
        self._peak_mb = 0
        self._temporary = launch.working_directory / "tmp" / self.identifier
        self._log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{self.identifier}"
        self._log = launch.working_directory / "logs" / log_file_name(self._log_stream)

    @property
    def pid(self) -> int | None:
        """Process id once it was started."""
        return self._child.pid if self._child else None

    @property
    def is_alive(self) -> bool:
        """True while its process runs."""
        return self._child is not None and self._ended is None and self._child.exit_status is None

    async def start(self, *, timeout_s: float) -> None:
        """Runs INIT to its end; the clock starts with the process.

        Raises:
            InitFailed: the handler cannot be imported, the process ended, or `timeout_s` passed; it is gone then.
            SystemUnavailable: the process cannot be started at all.
        """
        self._api.listen()
        self._temporary.mkdir(parents=True, exist_ok=True)
        started_at, started = datetime.now(UTC), time.perf_counter()
        self._spawn()
        failure = await self._await_init(timeout_s)
        self._init_ms = ((self._api.initialised_at or time.perf_counter()) - started) * 1000
        if failure is not None:
            report = self._report("", started_at, failure, duration_ms=0.0)
            self.end()
            raise InitFailed(failure, report, log_tail=self._child.tail() if self._child else "")

    async def invoke(self, payload: bytes, *, trace_id: str = "") -> Completed:
        """Hands an event to the function and waits for its answer, for its end, or for its timeout.

        After a failure of the process itself, the environment is no longer alive.

        Raises:
            EventNotDelivered: the process had ended already.
        """
        if not self.is_alive:
            raise EventNotDelivered(self.identifier)
        started_at, started = datetime.now(UTC), time.perf_counter()
        invocation = self._invocation(payload, trace_id)
        self._write_log(render_start_line(invocation.request_id))
        answer = await self._await_answer(invocation)
        duration_ms = (time.perf_counter() - started) * 1000
        self.enforce_memory(peak_resident_mb)
        if self._ended is not None and self._ended.answer.error_type == OUT_OF_MEMORY:
            answer = self._ended.answer
        report = self._report(invocation.request_id, started_at, answer, duration_ms=duration_ms)
        self._write_log(render_report_lines(report))
        self._init_ms = None  # later invocations are warm
        return Completed(answer=answer, report=report)

    def enforce_memory(self, measure: Callable[[int], int] = resident_mb) -> None:
        """Ends the process if what `measure` finds, in MiB, is above the function's memory."""
        if not self.is_alive or self.pid is None:
            return
        found_mb = measure(self.pid)
        self._peak_mb = max(self._peak_mb, found_mb)
        if found_mb > self._launch.definition.memory_mb:
            self.end(EnvironmentEnded(OUT_OF_MEMORY, "Runtime exited with error: signal: killed"))

    def end(self, reason: EnvironmentEnded | None = None) -> None:
        """Kills the process and releases everything; safe to call twice. Lambda gives no notice either."""
        self._ended = self._ended or reason or EnvironmentEnded(EXITED, "ended by the platform")
        if self._exit_watch is not None:
            asyncio.get_running_loop().remove_reader(self._exit_watch)
            os.close(self._exit_watch)
            self._exit_watch = None
        if self._child is not None:
            self._child.kill()
        self._api.abandon(self._ended)
        self._api.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _spawn(self) -> None:
        variables = process_variables(
            self._launch, runtime_api=self._api.address, temporary=self._temporary, log_stream=self._log_stream
        )
        self._child = Child.start(
            self._launch.argv,
            name=f"{self._launch.definition.key} environment",
            log_path=self._log,
            cwd=self._launch.task_root,
            env=variables,
        )
        self._exit_watch = os.pidfd_open(self._child.pid)
        asyncio.get_running_loop().add_reader(self._exit_watch, self._note_exit)

    async def _await_init(self, timeout_s: float) -> RuntimeAnswer | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._api.initialised)
        except TimeoutError:
            return describe_error(TIMED_OUT, f"INIT did not end within {timeout_s:.0f} s")
        except EnvironmentEnded as ended:
            return ended.answer

    async def _await_answer(self, invocation: RuntimeInvocation) -> RuntimeAnswer:
        timeout_s = self._launch.definition.timeout_s
        self._signal(signal.SIGCONT)
        delivered = self._api.deliver(invocation)
        try:
            async with asyncio.timeout(timeout_s):
                return await delivered
        except TimeoutError:
            message = f"RequestId: {invocation.request_id} Error: Task timed out after {timeout_s:.2f} seconds"
            self._write_log(message + "\n")
            self.end(EnvironmentEnded(TIMED_OUT, message))
            return describe_error(TIMED_OUT, message)
        except EnvironmentEnded as ended:
            if not self._api.is_delivered:
                raise EventNotDelivered(self.identifier) from ended
            return ended.answer

    def _freeze(self) -> None:
        """Between invocations nothing runs, as in Lambda: what a function left in the background stands still."""
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _note_exit(self) -> None:
        status = self._child.exit_status if self._child else None
        cause = f"signal: {-status}" if status is not None and status < 0 else f"exit status {status}"
        self.end(EnvironmentEnded(EXITED, f"Runtime exited with error: {cause}"))

    def _invocation(self, payload: bytes, trace_id: str) -> RuntimeInvocation:
        deadline_ms = int(time.time() * 1000) + self._launch.definition.timeout_s * 1000
        return RuntimeInvocation(
            request_id=str(uuid.uuid4()), payload=payload, deadline_ms=deadline_ms, trace_id=trace_id
        )

    def _report(
        self, request_id: str, started_at: datetime, answer: RuntimeAnswer, *, duration_ms: float
    ) -> InvocationReport:
        failed = InvocationStatus.TIMEOUT if answer.error_type == TIMED_OUT else InvocationStatus.ERROR
        memory_mb = self._launch.definition.memory_mb
        return InvocationReport(
            request_id=request_id,
            function_key=self._launch.definition.key,
            environment_id=self.identifier,
            started_at=started_at,
            init_ms=self._init_ms,
            duration_ms=duration_ms,
            memory_mb=memory_mb,
            max_memory_mb=min(self._peak_mb, memory_mb),
            status=InvocationStatus.SUCCESS if answer.error_type is None else failed,
            error_type=answer.error_type,
        )

    def _write_log(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(text)


def describe_error(error_type: str, message: str) -> RuntimeAnswer:
    """An error in the form that Lambda gives to whoever invoked the function."""
    payload = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    return RuntimeAnswer(payload=payload, error_type=error_type)
