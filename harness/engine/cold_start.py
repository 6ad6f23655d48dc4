"""Cold starts as a client sees them: fresh environments, one after another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Request
from harness.domain.ports import SideClient


@dataclass(frozen=True, slots=True, kw_only=True)
class InitReport:
    """What the platform says of the invocation that started an environment."""

    init_ms: float
    duration_ms: float
    billed_ms: int
    max_memory_mb: float


class FreshEnvironments(Protocol):
    """A function whose execution environments can be thrown away."""

    async def recycle(self) -> None:
        """Ends every idle environment, so that the next invocation starts a fresh one."""

    def last_init_report(self) -> InitReport | None:
        """The report of the latest invocation that included an INIT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStartSample:
    """One first response of a fresh environment: `client_ms` is what the client waited."""

    client_ms: float
    init_ms: float
    duration_ms: float
    billed_ms: int
    max_memory_mb: float


async def measure_cold_starts(
    environments: FreshEnvironments,
    client: SideClient,
    request: Request,
    *,
    count: int,
    on_sample: Callable[[int], None] = lambda _: None,
) -> tuple[ColdStartSample, ...]:
    """`count` samples, each from an environment that answered nothing before.

    Raises:
        SystemUnavailable: a fresh environment gave no answer below 500, or no INIT was reported for it.
    """
    samples = []
    for number in range(count):
        await environments.recycle()
        exchange = await client.send(request)
        status = None if exchange.response is None else exchange.response.status
        report = environments.last_init_report()
        if status is None or status >= 500 or report is None:
            what = f"cold start {number + 1} of {count} answered {status or exchange.transport_error}"
            raise SystemUnavailable(what, hint="Read the function's log in the runtime directory.")
        samples.append(
            ColdStartSample(
                client_ms=exchange.duration_ms,
                init_ms=report.init_ms,
                duration_ms=report.duration_ms,
                billed_ms=report.billed_ms,
                max_memory_mb=report.max_memory_mb,
            )
        )
        on_sample(number + 1)
    return tuple(samples)
