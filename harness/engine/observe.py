"""Sessions run once, one after another, to see what they exercise: nothing is judged or stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.domain.exchange import Exchange, Side
from harness.domain.generation import Observed
from harness.domain.session import Session, Step
from harness.domain.substitution import UnsavedValueError, fill_request
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import not_sent, saved_values
from harness.engine.replay_sides import Outages, ReplaySide
from harness.engine.replay_state import StatePair
from harness.uninterrupted import run_together


async def observe_sessions(
    sessions: Sequence[Observed],
    sides: Mapping[Side, ReplaySide],
    states: StatePair,
    *,
    options: ReplayOptions | None = None,
    on_session: Callable[[int], None] = lambda _: None,
) -> tuple[Observed, ...]:
    """The sessions with what these sides answer now, all at once to one session, then to the next.

    Where both databases are known, the captured state is restored before each session.

    Raises:
        SystemUnavailable: a side stopped answering.
    """
    options = options or ReplayOptions()
    outages = Outages(limit=options.max_failures_in_a_row)
    observed = []
    for each in sessions:
        await states.restore()
        runs = await run_together(*(_run(each.session, *side, options) for side in sides.items()))
        for exchange in (exchange for run in runs for exchange in run):
            outages.see(exchange)
        observed.append(replace(each, exchanges=tuple(zip(*runs, strict=True))))
        on_session(len(observed))
    return tuple(observed)


async def _run(session: Session, side: Side, system: ReplaySide, options: ReplayOptions) -> list[Exchange]:
    saved: dict[str, Any] = {}
    exchanges = []
    for step in session.steps:
        exchange = await _send(step, saved, side, system, options)
        saved |= saved_values(step, exchange)
        exchanges.append(exchange)
    return exchanges


async def _send(step: Step, saved: dict[str, Any], side: Side, system: ReplaySide, options: ReplayOptions) -> Exchange:
    try:
        request = system.authorized(fill_request(step, saved), step.auth)
    except (UnsavedValueError, ValueError) as error:
        return not_sent(side, step, str(error), options.clock())
    return await system.send(request)
