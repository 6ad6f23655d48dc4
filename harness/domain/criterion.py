"""What must hold for a phase to be ready, and the verdict on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from harness.domain.measurement import Measurement


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


class Limit(StrEnum):
    """On which side of the target a figure has to stay."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A row of design §8: `seed_ref` quotes the line of the user's own report that asks for it.

    A criterion with a `target` is judged by the interval of the measurements named `measurement`; every
    criterion is judged by its checks as well. One without a probe has no evidence and is never decided.
    """

    id: str
    phase: int
    title: str
    probe: str | None = None
    """Name of the probe that gathers its evidence; None while there is none."""
    subject: str = ""
    """The part of the system that it is about, such as a router or a function; empty for the whole."""
    in_quick: bool = False
    target: float | None = None
    unit: str = ""
    limit: Limit = Limit.AT_MOST
    measurement: str = ""
    seed_ref: str = ""
    needs_aws: bool = False
    """Evidence from the local cloud cannot settle it: it does not decide there, and blocks elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One yes-or-no finding: `passed` is None where it could not be told."""

    name: str
    passed: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionEvidence:
    """What a probe found for one criterion.

    `environment`, `commit` and `recorded_at` say where it comes from; they are None for evidence that the run
    being judged has gathered itself, and must be set on evidence that was read back from a file.
    """

    criterion_id: str
    measurements: tuple[Measurement, ...] = ()
    checks: tuple[Check, ...] = ()
    evidence_paths: tuple[str, ...] = ()
    """Files relative to the run directory."""
    samples: int | None = None
    """How many observations the checks rest on; 0 is empty evidence, None counts the checks themselves."""
    environment: str | None = None
    commit: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionResult:
    """A criterion with its verdict; all but `is_required` is what `decision.json` holds.

    `measured` and `bound` are in `unit`; `bound` is the end of the 95 % interval that the verdict hangs on.
    """

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
