"""Open-loop latency of two sides, interleaved in rounds with an A/A control."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Side
from harness.domain.load_profile import Arrival, LoadProfile, plan_arrivals
from harness.domain.ports import SideClient
from harness.uninterrupted import run_together

CONTROL = "control"
"""The arm that sends to the legacy a second time: what it differs by is the noise of measuring."""

_SETTLED_MS = 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPlan:
    """How much is sent: `rounds` times `requests_per_round` for each arm, at `rate_rps`, by `seed`."""

    rounds: int = 5
    requests_per_round: int = 120
    rate_rps: float = 40.0
    warm_up_rounds: int = 10
    """At the most; a side that never settles is measured as it is."""
    seed: str = "parakeet"
    timeout_s: float = 30.0

    @property
    def duration_s(self) -> float:
        """About how long the whole measurement takes."""
        return self.rounds * 3 * self.requests_per_round / self.rate_rps


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySample:
    """One request: `latency_ms` counts from the intended send time and is infinite for a failure."""

    arm: str
    round: int
    operation: str
    latency_ms: float
    status: int | None


async def measure_latency(
    clients: Mapping[Side, SideClient],
    profile: LoadProfile,
    plan: LatencyPlan,
    on_round: Callable[[int], None] = lambda _: None,
) -> tuple[LatencySample, ...]:
    """Samples of the arms `legacy`, `target` and `control`, each over the same schedule in every round.

    The order of the arms rotates from round to round, so that drift of the machine hits all of them alike.
    A 5xx answer, a broken connection and a time-out count as infinitely slow.

    Raises:
        SystemUnavailable: an arm answered nothing at all while warming up.
    """
    arms = ((Side.LEGACY.value, clients[Side.LEGACY]), (Side.TARGET.value, clients[Side.TARGET]))
    for arm, client in arms:
        await _warm_up(arm, client, profile, plan)
    rotation = [*arms, (CONTROL, clients[Side.LEGACY])]
    samples: list[LatencySample] = []
    for number in range(plan.rounds):
        arrivals = plan_arrivals(
            profile, count=plan.requests_per_round, rate_rps=plan.rate_rps, seed=f"{plan.seed}/{number}"
        )
        for arm, client in rotation:
            samples += await _run_round(arm, number, client, arrivals, plan)
        rotation.append(rotation.pop(0))
        on_round(number + 1)
    return tuple(samples)


async def _warm_up(arm: str, client: SideClient, profile: LoadProfile, plan: LatencyPlan) -> None:
    """Brings pools and environments to the size that the rate needs; what that takes is not measured here.

    Rounds like those that are measured, until one is answered without a cold start's delay: a shorter round has
    shorter bursts, which fewer environments can serve.
    """
    for number in range(plan.warm_up_rounds):
        arrivals = plan_arrivals(
            profile, count=plan.requests_per_round, rate_rps=plan.rate_rps, seed=f"{plan.seed}/warm-up/{number}"
        )
        samples = await _run_round(f"warm-up-{arm}", number, client, arrivals, plan)
        if all(sample.status is None for sample in samples):
            hint = "Check that the address is right and the system is up."
            raise SystemUnavailable(f"the {arm} side answered none of {len(samples)} requests", hint=hint)
        if max(sample.latency_ms for sample in samples) < _SETTLED_MS:
            return


async def _run_round(
    arm: str, number: int, client: SideClient, arrivals: Sequence[Arrival], plan: LatencyPlan
) -> list[LatencySample]:
    started = time.perf_counter()

    async def one(index: int, arrival: Arrival) -> LatencySample:
        due = started + arrival.at_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        status = await _status_of(client, arrival, f"{plan.seed}-{arm}-{number}-{index}", plan.timeout_s)
        is_failure = status is None or status >= 500
        latency_ms = math.inf if is_failure else (time.perf_counter() - due) * 1000
        return LatencySample(
            arm=arm, round=number, operation=arrival.operation.name, latency_ms=latency_ms, status=status
        )

    return await run_together(*(one(index, arrival) for index, arrival in enumerate(arrivals)))


async def _status_of(client: SideClient, arrival: Arrival, sequence: str, timeout_s: float) -> int | None:
    try:
        async with asyncio.timeout(timeout_s):
            exchange = await client.send(arrival.operation.request(sequence))
    except TimeoutError:
        return None
    return None if exchange.response is None else exchange.response.status
