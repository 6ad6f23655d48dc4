"""What a replay found, as stored: the lines of comparisons.jsonl, differences.jsonl and waivers.jsonl."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from harness.domain.difference import DifferenceKind, Facet, Outcome

COMPARISONS_FILE = "comparisons.jsonl"
DIFFERENCES_FILE = "differences.jsonl"
WAIVERS_FILE = "waivers.jsonl"


class DifferenceOutcome(StrEnum):
    """What became of one difference."""

    DIFFERENT = "different"
    WAIVED = "waived"
    NOISY = "noisy"
    CASCADED = "cascaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRecord:
    """One compared exchange: a line of `comparisons.jsonl`, in session and step order."""

    session_id: str
    group: str
    step: int
    name: str
    operation: str
    """Endpoint template, such as `GET /api/trades/{trade_id}`."""
    outcome: Outcome
    waivers: tuple[str, ...] = ()
    """Ids of the waivers that explain it."""
    note: str = ""
    """Why it is not comparable, or what it cascades from."""
    signatures: tuple[str, ...] = ()
    """Ids of the signatures of its differences, without repeats, in document order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRecord:
    """One difference: a line of `differences.jsonl`, in session, step and document order.

    `legacy` and `target` are JSON texts, None where absent, redacted already. `signature` groups equal findings
    and is one line of text. For rows, `name` and `operation` are of the request that caused the difference.
    """

    id: str
    session_id: str
    group: str
    step: int
    name: str
    operation: str
    facet: Facet
    pointer: str
    kind: DifferenceKind
    legacy: str | None
    target: str | None
    outcome: DifferenceOutcome
    waiver: str = ""
    """Ids of the waivers that explain it, or that left behind what it cascades from."""
    signature: str
    curl_legacy: str = ""
    curl_target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRecord:
    """A waiver as it was loaded for the run: a line of `waivers.jsonl`, whether it was hit or not."""

    id: str
    quirk: str
    reason: str
    owner: str
    expires_on: date
    pattern: str = ""
    """What it matches, as one line of text."""
    hits: int = 0
