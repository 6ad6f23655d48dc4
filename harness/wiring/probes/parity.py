"""P4.<router>: one replay of the sessions of all groups that are asked for, judged by group: answers and rows."""

import asyncio
from collections.abc import Mapping, Sequence

from harness.adapters.session_files import load_sessions
from harness.domain.compare.rules import Rules
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.difference import Facet, Outcome
from harness.domain.evidence import EXCHANGES_FILE
from harness.domain.findings import COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE, DifferenceRecord
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.legacy_state import restart_of
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import ProbeContext
from harness.wiring.replay import opened_sides, replay_into, replay_options
from harness.wiring.replay_request import ReplayRequest, SideOptions
from harness.wiring.target_state import CloudState

PROBES_OF_ROWS: Mapping[str, bool] = {"answer_parity": False, "state_parity": True}
"""The probes that judge a replay, by whether they judge rows or answers."""
_SHOWN = 3


class SessionReplay:
    """Replays on first use and judges what is stored; a resumed run replays only what is missing."""

    def __init__(self, context: ProbeContext, required: Sequence[Criterion]) -> None:
        """Sessions are those of the groups that `required`, all criteria of the run, are about."""
        self._context = context
        self._groups = frozenset(each.subject for each in required if each.probe in PROBES_OF_ROWS)
        self._judgement: Judgement | None = None
        self._lock = asyncio.Lock()

    async def gather_answers(self, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
        """Whether every answer of the criterion's group is explained."""
        return tuple([await self._evidence(criterion, rows=False) for criterion in criteria])

    async def gather_state(self, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
        """Whether every row that a step of the criterion's group changed is explained."""
        return tuple([await self._evidence(criterion, rows=True) for criterion in criteria])

    async def _evidence(self, criterion: Criterion, *, rows: bool) -> CriterionEvidence:
        return parity_evidence(await self._judged(), criterion, self._context.rules, rows=rows)

    async def _judged(self) -> Judgement:
        async with self._lock:
            if self._judgement is None:
                await self._replay()
                self._judgement = await asyncio.to_thread(judge_run, self._context.run_directory, self._context.rules)
            return self._judgement

    async def _replay(self) -> None:
        context, pair = self._context, self._context.pair
        known = load_sessions([str(scenarios_directory() / "sessions" / "**")])
        sessions = tuple(session for session in known if session.group in self._groups)
        request = ReplayRequest(
            legacy=SideOptions(url=pair.legacy.url, jwt_secret_file=pair.legacy.jwt_secret_file),
            target=SideOptions(url=pair.cloud.gateway_url, jwt_secret_file=pair.target_jwt_secret_file),
            legacy_db=pair.legacy.database_path,
            target_dsn=pair.target_dsn,
            target_files=CloudState(pair, context.settings.objects),
            restart_legacy=restart_of(pair.legacy),
            out=context.run_directory,
        )
        options = replay_options(context.settings)
        async with opened_sides(request, context.settings, sessions) as sides:
            await replay_into(context.store, sessions, sides, on_session=self._tell, options=options)

    def _tell(self, done: int, total: int) -> None:
        if done == total or done % 10 == 0:
            self._context.tell(f"{done} of {total} sessions")


def parity_evidence(judgement: Judgement, criterion: Criterion, rules: Rules, *, rows: bool) -> CriterionEvidence:
    """What the judgement says of the criterion's group: of its rows, or of its answers."""
    group = criterion.subject
    compared = [
        found for found in judgement.comparisons if found.group == group and found.outcome is not Outcome.NOT_COMPARABLE
    ]
    unexplained = [
        found for found in judgement.unexplained if found.group == group and (found.facet is Facet.ROW) is rows
    ]
    return CriterionEvidence(
        criterion_id=criterion.id,
        checks=(_explained(unexplained, len(compared), rows), _unexpired(judgement, group, rules)),
        evidence_paths=(EXCHANGES_FILE, COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE),
        samples=len(compared),
    )


def _unexpired(judgement: Judgement, group: str, rules: Rules) -> Check:
    used = {name for found in judgement.comparisons if found.group == group for name in found.waivers}
    expired = [w.id for w in judgement.waivers if w.id in used and w.expires_on < rules.today]
    return Check(name="no waiver has expired", passed=not expired, detail=", ".join(expired))


def _explained(unexplained: Sequence[DifferenceRecord], compared: int, rows: bool) -> Check:
    what = "rows" if rows else "answers"
    shown = "; ".join(
        f"{found.session_id} step {found.step} {found.pointer or found.facet}: {found.legacy} against {found.target}"
        for found in unexplained[:_SHOWN]
    )
    detail = f"{len(unexplained)} unexplained differences in {compared} compared exchanges"
    return Check(
        name=f"every difference of {what} is explained",
        passed=None if compared == 0 else not unexplained,
        detail=f"{detail}: {shown}" if shown else detail,
    )
