"""Sessions generated from an OpenAPI document: explored on the legacy, run against both sides, made few."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from harness.adapters.evidence_store import write_atomically
from harness.adapters.http import HttpSide
from harness.adapters.openapi_explore import Explored, ExploreRequest, explore, load_document
from harness.adapters.session_writer import encode_sessions_file
from harness.domain.coverage import Coverage, CoverageCount
from harness.domain.credential import credential_header
from harness.domain.description import DescribedOperation, described_operations, first_server
from harness.domain.errors import ConfigurationError, unwritable
from harness.domain.exchange import ExchangePair, Side
from harness.domain.generation import Exercise, Items, Observed, minimise, one_of_each_shape
from harness.domain.operation import OperationTemplates
from harness.domain.record import Origin, SessionRecord, StepRecord
from harness.domain.session import Session
from harness.engine.observe import observe_sessions
from harness.engine.replay_sides import ReplaySide
from harness.engine.replay_state import StatePair
from harness.settings import Settings
from harness.uninterrupted import run_to_its_end
from harness.wiring.replay import opened_sides
from harness.wiring.replay_request import ReplayRequest, SideOptions

DEFAULT_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """What `parakeet generate` is asked for; without `legacy_url` the document's address says where the system is."""

    openapi: str
    out: Path
    legacy_url: str | None = None
    legacy_token: str | None = field(default=None, repr=False)
    target: SideOptions | None = None
    legacy_db: Path | None = None
    target_dsn: str | None = field(default=None, repr=False)
    """With both, every session is run from the state that the systems are in at the start, which they are left in."""
    seed: int = DEFAULT_SEED
    examples: int = 20
    steps: int = 6
    limit: int | None = None
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What came of it: `coverage` is of all that was explored, `lost` what the limit on sessions gave up of it."""

    sessions: tuple[Session, ...]
    explored: Explored
    shapes: int
    items: int
    lost: int
    disagreeing: tuple[tuple[str, str], ...]
    """Operation and statuses, such as `200 | 500`, where the two sides gave different ones."""
    coverage: Coverage
    described: Mapping[str, DescribedOperation]
    legacy_url: str


async def generate(request: GenerateRequest, settings: Settings) -> Generated:
    """Explores, runs one session of each shape against the sides, keeps the fewest that exercise the same, and writes.

    Raises:
        ConfigurationError: no document, none with operations, or no address to send requests to; nothing was sent.
        SystemUnavailable: a side does not answer.
    """
    document = await asyncio.to_thread(load_document, request.openapi)
    described = _described(document, request.openapi)
    _require_writable(request.out)
    request = replace(request, legacy_url=_legacy_url(request, document))
    exercise = Exercise(described, OperationTemplates.of_document(document))
    async with _opened(request, settings) as (sides, states):
        explored = await _explore(request, document)
        shapes = one_of_each_shape(explored.sessions, exercise)
        observed = await observe_sessions(shapes, sides, states, on_session=_telling(request, len(shapes)))
    usable = observed if states.is_compared else [each for each in observed if not _is_of_state(each, exercise)]
    distinct = one_of_each_shape(usable, exercise)
    chosen = minimise(distinct, exercise, request.limit)
    sessions = tuple(_named(each.session, request.seed, number) for number, each in enumerate(chosen, start=1))
    _write(request, sessions)
    exercised, kept = _union(distinct, exercise), _union(chosen, exercise)
    return Generated(
        sessions=sessions,
        explored=explored,
        shapes=len(distinct),
        items=len(kept),
        lost=len(exercised - kept),
        disagreeing=tuple(sorted({(each.operation, each.status) for each in exercised if "|" in each.status})),
        coverage=_coverage(distinct, document, exercise),
        described=described,
        legacy_url=_legacy(request).url,
    )


def _described(document: Mapping[str, Any], where: str) -> Mapping[str, DescribedOperation]:
    described = described_operations(document)
    if not described:
        hint = "Its `paths` must hold at least one method of one path."
        raise ConfigurationError("the OpenAPI document has no operations", where=where, hint=hint)
    return described


def _require_writable(out: Path) -> None:
    if out.is_dir() or not out.absolute().parent.is_dir():
        hint = "Give a file in a directory that exists."
        raise ConfigurationError("the sessions cannot be written there", where=str(out), hint=hint)


def _is_of_state(observed: Observed, exercise: Exercise) -> bool:
    """Whether the sides disagree for no better reason than that only the legacy was explored, which changed it."""
    return exercise.disagrees(observed) and exercise.needs_state(observed)


@asynccontextmanager
async def _opened(
    request: GenerateRequest, settings: Settings
) -> AsyncIterator[tuple[Mapping[Side, ReplaySide], StatePair]]:
    """The sides to run sessions against, and their state, remembered where the databases are known."""
    if request.target is None:
        async with _only_legacy(request) as legacy:
            yield {Side.LEGACY: legacy}, StatePair(None, None)
        return
    pair = ReplayRequest(
        legacy=_legacy(request),
        target=request.target,
        legacy_db=request.legacy_db,
        target_dsn=request.target_dsn,
        out=request.out,
    )
    async with opened_sides(pair, settings, ()) as sides:
        states = StatePair(sides[0].store, sides[1].store)
        async with states.kept():
            yield dict(zip(Side, sides, strict=True)), states


@asynccontextmanager
async def _only_legacy(request: GenerateRequest) -> AsyncIterator[ReplaySide]:
    if request.legacy_db is not None or request.target_dsn is not None:
        hint = "Add --target-url, or leave out --legacy-db and --target-dsn."
        raise ConfigurationError("state is restored on both sides, and only one is given", hint=hint)
    legacy = _legacy(request)
    client = HttpSide(Side.LEGACY, legacy.url)
    try:
        await client.require_reachable()
        yield ReplaySide(client=client, token=legacy.token)
    finally:
        await client.close()


def _legacy(request: GenerateRequest) -> SideOptions:
    return SideOptions(url=request.legacy_url or "", token=request.legacy_token)


def _legacy_url(request: GenerateRequest, document: Mapping[str, Any]) -> str:
    """Where the document is, with the path that its first server has there."""
    if request.legacy_url is not None:
        return request.legacy_url
    address = urlsplit(request.openapi)
    if not re.fullmatch("https?", address.scheme):
        hint = "Add --legacy-url: what a request exercises is told from the answer."
        raise ConfigurationError("a file does not say where the system is", where=request.openapi, hint=hint)
    origin = f"{address.scheme}://{address.netloc}"
    server = urljoin(request.openapi, first_server(document))
    # A server elsewhere, such as the one in production, is never sent anything.
    return server.rstrip("/") if server.startswith(f"{origin}/") else origin


async def _explore(request: GenerateRequest, document: Mapping[str, Any]) -> Explored:
    legacy = _legacy(request)
    exploration = ExploreRequest(
        document=document,
        base_url=legacy.url,
        seed=request.seed,
        examples=request.examples,
        steps=request.steps,
        headers={} if legacy.token is None else dict([credential_header(legacy.token)]),
        on_requests=lambda sent: request.tell(f"exploring: {sent:,} requests"),
    )
    return await run_to_its_end(asyncio.to_thread(explore, exploration), on_cancel=exploration.stop.give)


def _telling(request: GenerateRequest, count: int) -> Callable[[int], None]:
    sides = "the legacy" if request.target is None else "both sides"
    return lambda done: request.tell(f"running against {sides}: {done:,} of {count:,} sessions")


def _named(session: Session, seed: int, number: int) -> Session:
    return replace(session, id=f"generated-{seed}-{number:04}")


def _write(request: GenerateRequest, sessions: Sequence[Session]) -> None:
    description = f"Generated from an OpenAPI document with seed {request.seed}."
    try:
        write_atomically(request.out, encode_sessions_file(sessions, description))
    except OSError as error:
        hint = "Give a file in a directory that can be written to."
        raise unwritable(error, where=str(request.out), hint=hint) from error


def _union(sessions: Sequence[Observed], exercise: Exercise) -> Items:
    return frozenset(item for each in sessions for item in exercise.all(each))


def _coverage(sessions: Sequence[Observed], document: Mapping[str, Any], exercise: Exercise) -> Coverage:
    count = CoverageCount(document)
    for number, each in enumerate(sessions):
        count.add(_record(each, str(number), exercise), ())
    return count.coverage()


def _record(observed: Observed, session_id: str, exercise: Exercise) -> SessionRecord:
    steps = tuple(
        StepRecord(
            pair=ExchangePair(
                session_id=session_id,
                group=observed.session.group,
                step=step.n,
                name=step.name,
                operation=exercise.operation(exchanges),
                legacy=exchanges[0],
                target=exchanges[-1],
            )
        )
        for step, exchanges in zip(observed.session.steps, observed.exchanges, strict=True)
    )
    return SessionRecord(
        session_id=session_id,
        group=observed.session.group,
        origin=Origin.GENERATED,
        legacy_schemas={},
        target_schemas={},
        steps=steps,
    )
