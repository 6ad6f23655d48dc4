"""A replay under load between two addresses: checked first, then sent open-loop, stored and judged."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.adapters.evidence_store import require_empty, write_json
from harness.adapters.http import utc_now
from harness.adapters.locust_workers import Gathered
from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.operation import OperationTemplates
from harness.domain.record import SessionRecord
from harness.domain.replay_load import (
    LOAD_FILE,
    LoadPlan,
    LoadSeen,
    SessionArrival,
    leaves_state_alone,
    plan_sessions,
    require_leaving_state_alone,
)
from harness.domain.session import Session
from harness.engine.replay_load import LoadReplay, Steps, replay_at_rest
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
from harness.wiring.replay_workers import (
    Workers,
    WorkersReplay,
    require_all_workers,
    require_no_poll,
    workers_at,
)
from harness.wiring.writer import SessionWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What a replay under load is asked for beside the replay itself."""

    plan: LoadPlan
    only_reading: bool = False
    """Leaves out sessions that write instead of refusing them."""
    allow_load: bool = False
    workers: tuple[str, ...] = ()
    """Addresses of this machine that Locust workers send from; none means that this process sends."""


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
    workers = workers_at(load.workers, request.concurrency) if load.workers else None
    sessions = _chosen(request, load, on_note)
    if workers is not None:
        require_no_poll(sessions)
    _require_start(sessions, load.plan)
    require_empty(request.out)
    async with opened_sides(request, settings, sessions) as sides:
        store = open_store(request, sides)
        try:
            await store_description(store, sides)
            prepared = await _prepare(request, load, sessions, sides, settings)
            tell = partial(_tell, on_session, len(prepared.arrivals))
            async with SessionWriter(store, tell) as writer:
                seen, gathered = await _run(prepared, workers, writer.take, tell)
            write_json(request.out / LOAD_FILE, describe_load(prepared, seen, workers, gathered))
            if workers is not None:
                require_all_workers(gathered, prepared.arrivals, workers)
            store.finish(utc_now())
        finally:
            store.close()
    return seen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Everything that a load starts from."""

    request: ReplayRequest
    plan: LoadPlan
    sides: Sides
    templates: OperationTemplates
    at_rest: Mapping[str, Steps]
    options: ReplayOptions
    arrivals: tuple[SessionArrival, ...]


async def _prepare(
    request: ReplayRequest, load: LoadRequest, sessions: Sequence[Session], sides: Sides, settings: Settings
) -> _Prepared:
    templates = OperationTemplates.of_document(await fetch_description(sides[0].client, sides[1].client))
    options = replace(replay_options(settings), concurrency=request.concurrency)
    return _Prepared(
        request=request,
        plan=load.plan,
        sides=sides,
        templates=templates,
        at_rest=await replay_at_rest(sessions, sides, templates, options),
        options=options,
        arrivals=plan_sessions(sessions, load.plan),
    )


async def _run(
    prepared: _Prepared,
    workers: Workers | None,
    on_record: Callable[[SessionRecord], None],
    on_line: Callable[[int], None],
) -> tuple[LoadSeen, Gathered]:
    """Sends from here, or has workers send."""
    sides, templates, at_rest = prepared.sides, prepared.templates, prepared.at_rest
    if workers is None:
        replay = LoadReplay(sides, templates, at_rest, prepared.options)
        return await replay.run(prepared.arrivals, prepared.plan, on_record), Gathered(lines={})
    urls = (prepared.request.legacy.url, prepared.request.target.url)
    distributed = WorkersReplay(urls=urls, sides=sides, templates=templates, at_rest=at_rest, workers=workers)
    return await distributed.run(prepared.arrivals, prepared.plan, on_record, on_line)


def _tell(on_session: Callable[[int, int], None], planned: int, done: int) -> None:
    on_session(done, planned)


def _chosen(request: ReplayRequest, load: LoadRequest, on_note: Callable[[str], None]) -> tuple[Session, ...]:
    sessions = load_sessions(patterns_or_default(request.sessions), on_note, request.on_read)
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


def _require_start(sessions: Sequence[Session], plan: LoadPlan) -> None:
    first_s = plan_sessions(sessions, plan)[0].at_s
    if first_s > plan.limit_s:
        what = (
            f"no session would start: the first is due after {first_s:.1f} s, and none starts after {plan.limit_s:g} s"
        )
        raise ConfigurationError(what, hint="Give a higher --rate, more --seconds or another --seed.")


def describe_load(
    prepared: _Prepared, seen: LoadSeen, workers: Workers | None, gathered: Gathered
) -> dict[str, object]:
    """The content of `load.json`; rates in sessions a second."""
    return {
        "format_version": 1,
        "planned": seen.planned,
        "started": seen.started,
        "requests_of_a_side": seen.requests,
        "asked_rate": prepared.plan.rate,
        "achieved_rate": round(seen.achieved_rate, 3),
        "concurrency": prepared.request.concurrency,
        "seed": prepared.plan.seed,
        "duration_s": round(seen.duration_s, 3),
        "late_ms": lateness(seen),
        "workers": [
            {
                "name": worker.name,
                "planned": len(prepared.arrivals[worker.index :: worker.of]),
                "came": sum(line.worker == worker.name for line in gathered.lines.values()),
                "lost": gathered.lost.get(worker.name),
            }
            for worker in (() if workers is None else workers.identities)
        ],
    }


def lateness(seen: LoadSeen) -> dict[str, float | None]:
    """How late sessions started: more than some milliseconds says that the concurrency does not carry the rate."""
    late = sorted(seen.late_ms)
    if not late:
        return {"p50": None, "p95": None, "max": None}
    p95 = late[min(len(late) - 1, int(0.95 * len(late)))]
    return {"p50": round(statistics.median(late), 3), "p95": round(p95, 3), "max": round(late[-1], 3)}
