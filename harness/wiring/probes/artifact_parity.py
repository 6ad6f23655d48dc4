"""P3.6: the application in one process from its source answers as the functions from their built artifacts do.

Sessions are replayed against both as they are against the legacy and the target, and no waiver holds: whatever a build
leaves out or a handler does to an event is a difference.
"""

import asyncio
import tomllib
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec

from harness.adapters.change_probe import PostgresProbe, ProbedStore
from harness.adapters.http import utc_now
from harness.adapters.postgres import PostgresState, empty_tables
from harness.adapters.session_files import load_sessions
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.difference import Facet
from harness.domain.errors import ConfigurationError
from harness.domain.findings import COMPARISONS_FILE, DIFFERENCES_FILE, DifferenceRecord
from harness.domain.session import Session
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import EVIDENCE_DIRECTORY, ProbeContext, evidence_for_all
from harness.wiring.replay import open_store, opened_sides, replay_into, replay_options, with_store
from harness.wiring.replay_request import ReplayRequest, SideOptions
from harness.wiring.source_process import SourceApp, SourceProcess, source_process

_DIRECTORY = f"{EVIDENCE_DIRECTORY}/artifact_parity"
_SHOWN = 3


class _Parity(SourceApp, frozen=True, kw_only=True):
    """The application, and the session files that are replayed, below `scenarios/sessions/`."""

    sessions: list[str]


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """One replay; both databases are afterwards as they were."""
    parity = _load_parity()
    root = scenarios_directory() / "sessions"
    sessions = load_sessions([str(root / pattern) for pattern in parity.sessions])
    directory = context.temporary_directory("artifact-parity")
    async with source_process(context.pair, parity, context.settings.rows, directory) as source:
        await _replay(context, source, sessions)
    rules = replace(context.rules, waivers=())
    judgement = await asyncio.to_thread(judge_run, context.run_directory / _DIRECTORY, rules)
    own = frozenset(context.settings.rows.added)
    paths = [f"{_DIRECTORY}/{name}" for name in (COMPARISONS_FILE, DIFFERENCES_FILE)]
    return evidence_for_all(criteria, checks=judge_parity(judgement, own), paths=paths, samples=judgement.compared)


def judge_parity(judgement: Judgement, own: frozenset[str] = frozenset()) -> tuple[Check, ...]:
    """One check a group of sessions: passed if something was compared and nothing differs.

    The rows of the target's `own` tables hold ids and times that each side makes; answers show what they mean.
    """
    compared = Counter(found.group for found in judgement.comparisons)
    checks = []
    for group, count in compared.items():
        found = [each for each in judgement.unexplained if each.group == group and not _is_row_of(each, own)]
        shown = "; ".join(f"{each.session_id} step {each.step} {each.pointer or each.facet}" for each in found[:_SHOWN])
        detail = f"{len(found)} differences in {count} exchanges"
        name = f"{group}: source and artifact answer alike"
        checks.append(Check(name=name, passed=not found, detail=f"{detail}: {shown}" if shown else detail))
    return tuple(checks) or (Check(name="source and artifact answer alike", passed=None, detail="nothing compared"),)


def _is_row_of(difference: DifferenceRecord, tables: frozenset[str]) -> bool:
    return difference.facet == Facet.ROW and difference.pointer.split("/")[1] in tables


async def _replay(context: ProbeContext, source: SourceProcess, sessions: Sequence[Session]) -> None:
    """The source's process takes the legacy's place; each side has its own database, both are restored.

    Both begin without rows that only the target keeps: other probes may have left some.
    """
    pair = context.pair
    await empty_tables(pair.target_dsn, context.settings.rows.added)
    secret = pair.target_jwt_secret_file
    request = ReplayRequest(
        legacy=SideOptions(url=source.url, jwt_secret_file=secret),
        target=SideOptions(url=pair.cloud.gateway_url, jwt_secret_file=secret),
        out=context.run_directory / _DIRECTORY,
    )
    async with AsyncExitStack() as stack:
        stores = [ProbedStore(PostgresState(dsn), PostgresProbe(dsn)) for dsn in (source.dsn, pair.target_dsn)]
        for opened in stores:
            stack.push_async_callback(opened.close)
        sides = await stack.enter_async_context(opened_sides(request, context.settings, sessions))
        watched = (with_store(sides[0], stores[0]), with_store(sides[1], stores[1]))
        store = open_store(request, watched)
        try:
            await replay_into(store, sessions, watched, options=replay_options(context.settings))
            store.finish(utc_now())
        finally:
            store.close()


def _load_parity() -> _Parity:
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["artifact_parity"], _Parity)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"[artifact_parity] is not described: {error}", where=str(path)) from error
