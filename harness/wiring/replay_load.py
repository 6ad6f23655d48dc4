"""A replay under load between two addresses: checked first, then sent open-loop, stored and judged."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.adapters.evidence_store import require_empty, write_json
from harness.adapters.http import utc_now
from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.operation import OperationTemplates
from harness.domain.replay_load import (
    LOAD_FILE,
    LoadPlan,
    LoadSeen,
    leaves_state_alone,
    plan_sessions,
    require_leaving_state_alone,
)
from harness.domain.session import Session
from harness.engine.replay_load import LoadReplay, replay_at_rest
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import fetch_description
from harness.settings import Settings
from harness.wiring.bench import require_load_allowed
from harness.wiring.replay import (
    Sides,
    open_store,
    opened_sides,
    patterns_or_default,
    replay_options,
    store_description,
)
from harness.wiring.replay_request import ReplayRequest
from harness.wiring.writer import SessionWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What a replay under load is asked for beside the replay itself."""

    plan: LoadPlan
    only_reading: bool = False
    """Leaves out sessions that write instead of refusing them."""
    allow_load: bool = False


async def replay_load(
    request: ReplayRequest,
    load: LoadRequest,
    settings: Settings,
    on_session: Callable[[int, int], None] = lambda _done, _all: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> LoadSeen:
    """Replays and stores; `on_session` is told how many sessions are stored and how many are planned.

    Raises:
        ConfigurationError: something asked for cannot be used, or a session writes; nothing was sent.
        SystemUnavailable: a side does not answer, or no longer; what was seen until then is stored.
    """
    if request.legacy_db is not None or request.target_dsn is not None:
        hint = "Leave out --legacy-db and --target-dsn: under load only answers are compared."
        raise ConfigurationError("a change of rows has one cause only if sessions run one at a time", hint=hint)
    for side in (request.legacy, request.target):
        require_load_allowed(side.url, settings, allow_load=load.allow_load)
    sessions = _chosen(request, load, on_note)
    require_empty(request.out)
    async with opened_sides(request, settings, sessions) as sides:
        store = open_store(request)
        try:
            await store_description(store, sides)
            replay = await _prepared(
                sessions, sides, replace(replay_options(settings), concurrency=request.concurrency)
            )
            arrivals = plan_sessions(sessions, load.plan)
            async with SessionWriter(store, lambda stored: on_session(stored, len(arrivals))) as writer:
                seen = await replay.run(arrivals, load.plan, writer.take)
            store.finish(utc_now())
        finally:
            store.close()
    write_json(request.out / LOAD_FILE, describe_load(load.plan, seen, request.concurrency))
    return seen


async def _prepared(sessions: Sequence[Session], sides: Sides, options: ReplayOptions) -> LoadReplay:
    """The replay with each session seen at rest already."""
    templates = OperationTemplates.of_document(await fetch_description(sides[0].client, sides[1].client))
    return LoadReplay(sides, templates, await replay_at_rest(sessions, sides, templates, options), options)


def _chosen(request: ReplayRequest, load: LoadRequest, on_note: Callable[[str], None]) -> tuple[Session, ...]:
    sessions = load_sessions(patterns_or_default(request.sessions), on_note)
    if not load.only_reading:
        require_leaving_state_alone(sessions)
        return sessions
    reading = tuple(session for session in sessions if leaves_state_alone(session))
    if not reading:
        hint = "Give sessions of GET, HEAD and OPTIONS."
        raise ConfigurationError(f"none of {len(sessions):,} sessions only reads", hint=hint)
    if len(reading) < len(sessions):
        on_note(f"{len(sessions) - len(reading):,} of {len(sessions):,} sessions write and are left out")
    return reading


def describe_load(plan: LoadPlan, seen: LoadSeen, concurrency: int) -> dict[str, object]:
    """The content of `load.json`; rates in sessions a second."""
    return {
        "format_version": 1,
        "planned": seen.planned,
        "started": seen.started,
        "requests_of_a_side": seen.requests,
        "asked_rate": plan.rate,
        "achieved_rate": round(seen.achieved_rate, 3),
        "concurrency": concurrency,
        "seed": plan.seed,
        "duration_s": round(seen.duration_s, 3),
        "late_ms": lateness(seen),
    }


def lateness(seen: LoadSeen) -> dict[str, float | None]:
    """How late sessions started: more than some milliseconds says that the concurrency does not carry the rate."""
    late = sorted(seen.late_ms)
    if not late:
        return {"p50": None, "p95": None, "max": None}
    p95 = late[min(len(late) - 1, int(0.95 * len(late)))]
    return {"p50": round(statistics.median(late), 3), "p95": round(p95, 3), "max": round(late[-1], 3)}
