"""`parakeet replay --rate`: the options of a replay under load, and what is printed of it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from harness.cli.progress import shown_progress
from harness.cli.replay_progress import judge_and_print
from harness.domain.compare.rules import Rules
from harness.domain.errors import SystemUnavailable
from harness.domain.replay_load import LoadPlan, LoadSeen
from harness.settings import Settings
from harness.wiring.judgement import Judgement
from harness.wiring.replay_load import LoadRequest, lateness, replay_load
from harness.wiring.replay_request import ReplayRequest

Rate = Annotated[
    float | None,
    typer.Option(help="Under load: sessions started in a second, open loop, Poisson.", min=0.01, max=10_000),
]
Count = Annotated[int, typer.Option(help="With --rate: sessions in all.", min=1, max=100_000)]
Seconds = Annotated[float, typer.Option(help="With --rate: none starts later than this.", min=0.1, max=3600)]
Seed = Annotated[str, typer.Option(help="With --rate: the same seed, the same schedule.")]
OnlyReading = Annotated[
    bool, typer.Option("--only-reading", help="With --rate: leave out sessions that write, instead of refusing them.")
]
AllowLoad = Annotated[bool, typer.Option("--allow-load", help="With --rate: an address off this machine, on purpose.")]
Worker = Annotated[
    list[str] | None,
    typer.Option(help="With --rate: a Locust worker that sends from this loopback address; repeatable."),
]


def load_plan(rate: float, count: int, seconds: float, seed: str) -> LoadPlan:
    """The plan of these options."""
    return LoadPlan(rate=rate, count=count, limit_s=seconds, seed=seed)


def load_request(plan: LoadPlan, workers: Sequence[str], *, only_reading: bool, allow_load: bool) -> LoadRequest:
    """The request of these options."""
    return LoadRequest(plan=plan, only_reading=only_reading, allow_load=allow_load, workers=tuple(workers))


def load_and_judge(request: ReplayRequest, load: LoadRequest, settings: Settings, rules: Rules) -> Judgement:
    """As `replay_and_judge`, under load."""
    stored = 0
    notes = Console(stderr=True, soft_wrap=True, highlight=False)
    with shown_progress("replaying under load", "sessions") as show:

        def tell(done: int, all_of_them: int) -> None:
            nonlocal stored
            stored = done
            show(done, all_of_them)

        try:
            seen = asyncio.run(
                replay_load(request, load, settings, tell, lambda note: notes.print(f"note: {note}", markup=False))
            )
        except SystemUnavailable:
            if stored:
                judge_and_print(request.out, rules)
            raise
    judgement = judge_and_print(request.out, rules)
    _show(request, load.plan, seen)
    return judgement


def _show(request: ReplayRequest, plan: LoadPlan, seen: LoadSeen) -> None:
    late = lateness(seen)
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{seen.started:,} of {seen.planned:,} sessions started in {seen.duration_s:.1f} s: "
        f"{seen.achieved_rate:.1f} a second where {plan.rate:g} were asked for, "
        f"at most {request.concurrency} at once, {seen.requests:,} requests of each side; "
        f"late by {late['p50']} ms in the median, {late['p95']} ms at p95",
        markup=False,
    )
