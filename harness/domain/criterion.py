"""What must hold for a phase to be ready, and the verdict on it."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the evidence says about one criterion."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Decision(StrEnum):
    """What the criteria say together."""

    GO = "GO"
    NO_GO = "NO_GO"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A row of design §8: `seed_ref` names the line of the user's own report that asks for it."""

    id: str
    phase: int
    title: str
    probe: str | None = None
    """Name of the probe that gathers its evidence; None while there is none."""
    in_quick: bool = False
    target: float | None = None
    unit: str = ""
    seed_ref: str = ""
    needs_aws: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """A criterion with its verdict: the shape of `decision.json`'s criteria."""

    id: str
    title: str
    verdict: Verdict
    measured: float | str | None = None
    unit: str = ""
    target: float | str | None = None
    bound: float | None = None
    samples: int = 0
    evidence: tuple[str, ...] = ()
    reason: str = ""
    is_required: bool = True
    """False for criteria that the profile leaves out: shown, but not deciding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseDecision:
    """A phase's decision with its criteria in order."""

    phase: int
    title: str
    decision: Decision
    criteria: tuple[CriterionResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessDecision:
    """The whole decision, for one environment: the content of `decision.json`."""

    environment: str
    profile: str
    decision: Decision
    phases: tuple[PhaseDecision, ...]
    format_version: int = 1
