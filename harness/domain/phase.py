"""The plan that a migration is judged by: its phases, its criteria and its benchmark table."""

from dataclasses import dataclass

from harness.domain.criterion import Criterion

QUICK_PROFILE = "quick"
REPLAY_PROFILE = "replay"
"""Of a run that only compared: it has no criteria, and its comparisons are its decision."""
LOCAL_ENVIRONMENT = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase of the migration with its criteria in order; `seed_ref` quotes the user's own heading."""

    number: int
    title: str
    seed_ref: str = ""
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRow:
    """A row of the user's own benchmark table, tied to what is measured for it.

    `before_stated` and `target_stated` are the user's words; a measured figure takes their place.
    """

    metric: str
    measurement: str
    criterion_id: str
    before_stated: str
    target_stated: str
    seed_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All phases in order. Criterion ids are unique."""

    phases: tuple[Phase, ...]
    benchmarks: tuple[BenchmarkRow, ...] = ()

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Every criterion, in phase order."""
        return tuple(criterion for phase in self.phases for criterion in phase.criteria)

    def find_phase(self, number: int) -> Phase | None:
        """The phase of that number, if there is one."""
        return next((phase for phase in self.phases if phase.number == number), None)

    def find_criteria(self, wanted: str) -> tuple[Criterion, ...]:
        """The criterion of that id, or those whose ids it begins: `P4.trades` means its parity and its state."""
        exact = tuple(criterion for criterion in self.criteria if criterion.id == wanted)
        return exact or tuple(c for c in self.criteria if c.id.startswith(f"{wanted}."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a run has to decide; empty selections mean everything."""

    environment: str
    profile: str
    phases: frozenset[int] = frozenset()
    criterion_ids: frozenset[str] = frozenset()

    @property
    def is_local(self) -> bool:
        """True on the local cloud, which can never authorise another environment."""
        return self.environment == LOCAL_ENVIRONMENT

    def can_settle(self, criterion: Criterion) -> bool:
        """False for what needs AWS, on the local cloud."""
        return not (criterion.needs_aws and self.is_local)

    def requires(self, criterion: Criterion) -> bool:
        """Whether this criterion takes part in the run's decision. A criterion asked for by name always does."""
        if criterion.id in self.criterion_ids:
            return True
        if self.criterion_ids or (self.phases and criterion.phase not in self.phases):
            return False
        in_profile = criterion.in_quick or self.profile != QUICK_PROFILE
        return in_profile and self.can_settle(criterion)
