"""Runs and judges histories, one after another, for a time or a number."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.history import History
from harness.domain.isolation.judge import Judgement, judge_history
from harness.domain.isolation.plan import Size, plan_history
from harness.engine.isolation import IsolationTarget, run_history

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """How much: histories of `size` begin until `duration_s` is over or `histories` are done.

    `run` begins every key and must be one that no other run on the same system had. `until` ends it early.
    """

    run: str
    seed: int = DEFAULT_SEED
    size: Size = field(default_factory=Size)
    duration_s: float = 60.0
    histories: int | None = None
    until: Callable[[Campaign], bool] = lambda _: False


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignHooks:
    """Who is told of every history, once it is judged."""

    on_history: Callable[[History, Judgement], None] = lambda _history, _judgement: None
    on_progress: Callable[[Campaign], None] = lambda _: None


async def run_campaign(target: IsolationTarget, plan: CampaignPlan, hooks: CampaignHooks) -> Campaign:
    """The sums over all histories; judging happens between them, so that it disturbs no interval.

    Raises:
        SystemUnavailable: an accepted answer cannot be read.
    """
    campaign = Campaign(seed=plan.seed)
    started = time.monotonic()
    for number in _numbers(plan, started):
        drawn = plan_history(target.scenario, plan.size, seed=plan.seed, number=number, run=plan.run)
        history = await run_history(target, drawn)
        judgement = judge_history(history)
        campaign.add(history, judgement)
        campaign.duration_s = time.monotonic() - started
        hooks.on_history(history, judgement)
        hooks.on_progress(campaign)
        if plan.until(campaign):
            break
    return campaign


def _numbers(plan: CampaignPlan, started: float) -> Iterable[int]:
    number = 0
    while (plan.histories is None or number < plan.histories) and time.monotonic() - started < plan.duration_s:
        yield number
        number += 1
