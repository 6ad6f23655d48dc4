"""The report as SARIF 2.1.0: one result for each signature, located at its line of differences.jsonl.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from harness.domain.difference import DifferenceKind, Facet
from harness.domain.findings import DIFFERENCES_FILE, DifferenceOutcome, DifferenceRecord
from reports.findings_view import SignatureView
from reports.text import excerpt, one_line

FILE_NAME = "report.sarif"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_VALUE_CHARACTERS = 200
_LEVELS = {
    DifferenceOutcome.DIFFERENT: "error",
    DifferenceOutcome.CASCADED: "warning",
    DifferenceOutcome.WAIVED: "note",
    DifferenceOutcome.NOISY: "note",
}
Json = dict[str, object]


def render_sarif(signatures: Sequence[SignatureView], version: str) -> bytes:
    """The SARIF log; waived and noisy signatures are in it as suppressed results."""
    rules = sorted({_rule_id(found.example.facet, found.example.kind) for found in signatures})
    driver: Json = {"name": "parakeet", "version": version, "rules": [_rule(rule) for rule in rules]}
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, rules) for found in signatures],
    }
    log: Json = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _result(found: SignatureView, rules: Sequence[str]) -> Json:
    rule = _rule_id(found.example.facet, found.example.kind)
    result: Json = {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": _LEVELS[found.outcome],
        "message": {"text": _message(found)},
        "locations": [_location(found.example, found.line)],
        "partialFingerprints": {"signature/v1": hashlib.sha256(found.signature.encode()).hexdigest()},
        "occurrenceCount": found.count,
    }
    if not found.is_open:
        result["suppressions"] = [{"kind": "external", "justification": _why(found)}]
    return result


def _why(found: SignatureView) -> str:
    if found.outcome is DifferenceOutcome.CASCADED:
        return f"follows from what waiver {one_line(found.example.waiver)} left different"
    return f"waiver {one_line(found.example.waiver)}" if found.example.waiver else "noise learned from both sides"


def _message(found: SignatureView) -> str:
    example = found.example
    legacy, target = (excerpt(pieces, _VALUE_CHARACTERS) for pieces in (found.legacy, found.target))
    where = f" at {one_line(example.pointer)}" if example.pointer else ""
    seen = f"session {one_line(example.session_id)} step {example.step}"
    return f"{one_line(example.operation)}: {example.facet.value} {example.kind.value}{where}: " \
           f"legacy {legacy}, target {target} ({seen})"  # fmt: skip


def _location(example: DifferenceRecord, line: int) -> Json:
    physical = {"artifactLocation": {"uri": DIFFERENCES_FILE}, "region": {"startLine": line}}
    name = one_line(f"{example.operation} {example.pointer}".strip())
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}


def _rule(rule_id: str) -> Json:
    facet, _, kind = rule_id.partition("/")
    text = f"The two sides differ in {facet}: {kind.replace('_', ' ')}."
    return {"id": rule_id, "shortDescription": {"text": text}}


def _rule_id(facet: Facet, kind: DifferenceKind) -> str:
    return f"{facet.value}/{kind.value}"
