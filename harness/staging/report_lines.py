"""What Lambda reports of every invocation, as data and as the lines of its log."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class InvocationStatus(StrEnum):
    """How an invocation ended."""

    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationReport:
    """One invocation as Lambda would bill it.

    `init_ms` is set for the first invocation of an execution environment only: from the start of its process
    to its first request for an event. `duration_ms` runs from the event's delivery to the function's answer.
    """

    request_id: str
    function_key: str
    environment_id: str
    started_at: datetime
    init_ms: float | None
    duration_ms: float
    memory_mb: int
    max_memory_mb: int
    status: InvocationStatus = InvocationStatus.SUCCESS
    error_type: str | None = None

    @property
    def billed_ms(self) -> int:
        """Init and duration together, rounded up to a millisecond."""
        return math.ceil((self.init_ms or 0.0) + self.duration_ms)

    @property
    def is_cold(self) -> bool:
        """True for the first invocation of an execution environment."""
        return self.init_ms is not None


def render_start_line(request_id: str) -> str:
    """The line that opens an invocation in the log."""
    return f"START RequestId: {request_id} Version: $LATEST\n"


def render_report_lines(report: InvocationReport) -> str:
    """The END and REPORT lines, in the form that Lambda writes them."""
    fields = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.max_memory_mb} MB",
    ]
    if report.init_ms is not None:
        fields.append(f"Init Duration: {report.init_ms:.2f} ms")
    if report.status is not InvocationStatus.SUCCESS:
        fields.append(f"Status: {report.status}")
    if report.error_type is not None:
        fields.append(f"Error Type: {report.error_type}")
    return f"END RequestId: {report.request_id}\n" + "\t".join(fields) + "\t\n"
