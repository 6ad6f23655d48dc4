"""The latency measurement: what is warmed up as it is measured, and who settles."""

import asyncio
from datetime import UTC, datetime

import pytest

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.load_profile import LoadOperation, LoadProfile
from harness.engine.latency import LatencyPlan, LatencySample, measure_latency

PROFILE = LoadProfile(format_version=1, operation=[LoadOperation(name="read", method="GET", url="/?n={{sequence}}")])
PLAN = LatencyPlan(rounds=2, requests_per_round=20, rate_rps=2000.0, warm_up_rounds=3)
SLOW_S = 0.3


class Answering:
    """Answers all, its first `cold` requests as slowly as cold environments do; nothing where it is away."""

    def __init__(self, *, cold: int = 0, away: bool = False) -> None:
        self.cold, self.away = cold, away
        self.warm_up_rounds: dict[str, int] = {}
        self.measured_cold = 0

    async def send(self, request: Request) -> Exchange:
        sequence = request.url.partition("n=")[2]
        if "warm-up" in sequence:
            name = sequence.rpartition("-")[0]
            self.warm_up_rounds[name] = self.warm_up_rounds.get(name, 0) + 1
        elif self.cold > 0:
            self.measured_cold += 1
        self.cold -= 1
        await asyncio.sleep(SLOW_S if self.cold >= 0 else 0)
        return Exchange(
            side=Side.TARGET,
            base_url="http://127.0.0.1:1",
            request=request,
            response=None if self.away else Response(status=200, headers=(), body=b""),
            transport_error="refused" if self.away else None,
            sent_at=datetime(2026, 3, 1, tzinfo=UTC),
            duration_ms=1.0,
        )

    async def close(self) -> None:
        """Nothing to close."""


async def measure(legacy: Answering, target: Answering) -> tuple[LatencySample, ...]:
    return await measure_latency({Side.LEGACY: legacy, Side.TARGET: target}, PROFILE, PLAN)


async def test_a_warm_up_round_is_as_long_as_a_measured_one_and_comes_again_until_the_side_has_settled() -> None:
    legacy, target = Answering(), Answering(cold=PLAN.requests_per_round + 1)
    await measure(legacy, target)
    assert set(legacy.warm_up_rounds.values()) == {PLAN.requests_per_round}
    assert list(target.warm_up_rounds.values()) == [PLAN.requests_per_round] * 3
    assert target.measured_cold == 0


async def test_a_side_that_never_settles_is_measured_as_it_is() -> None:
    target = Answering(cold=1000)
    samples = await measure(Answering(), target)
    assert len(target.warm_up_rounds) == PLAN.warm_up_rounds
    assert min(sample.latency_ms for sample in samples if sample.arm == "target") >= SLOW_S * 1000


async def test_a_side_that_answers_nothing_is_no_side_to_measure() -> None:
    with pytest.raises(SystemUnavailable, match="the target side answered none of 20 requests"):
        await measure(Answering(), Answering(away=True))
