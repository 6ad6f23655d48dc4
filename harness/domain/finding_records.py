"""Comparisons as the lines that a run stores of them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from harness.domain.curl import curl_command
from harness.domain.difference import Comparison, Difference
from harness.domain.findings import ComparisonRecord, DifferenceOutcome, DifferenceRecord
from harness.domain.record import StepRecord
from harness.domain.signature import signature_of


def comparison_record(comparison: Comparison) -> ComparisonRecord:
    """The line of `comparisons.jsonl`."""
    found = [difference for difference, _ in _with_outcomes(comparison)]
    return ComparisonRecord(
        session_id=comparison.session_id,
        group=comparison.group,
        step=comparison.step,
        name=comparison.name,
        operation=comparison.operation,
        outcome=comparison.outcome,
        waivers=comparison.waivers,
        note=comparison.note,
        signatures=tuple(dict.fromkeys(signature_of(comparison.operation, difference) for difference in found)),
    )


def difference_records(comparison: Comparison, step: StepRecord | None) -> Iterator[DifferenceRecord]:
    """The lines of `differences.jsonl`; `step` is what was sent, for the `curl` pair."""
    found = list(_with_outcomes(comparison))
    if not found:
        return
    legacy, target = ("", "") if step is None else (curl_command(step.pair.legacy), curl_command(step.pair.target))
    for identifier, (difference, outcome) in zip(_ids(comparison, found), found, strict=True):
        yield DifferenceRecord(
            id=identifier,
            session_id=comparison.session_id,
            group=comparison.group,
            step=comparison.step,
            name=comparison.name,
            operation=comparison.operation,
            facet=difference.facet,
            pointer=difference.pointer,
            kind=difference.kind,
            legacy=difference.legacy,
            target=difference.target,
            outcome=outcome,
            waiver=", ".join(_waivers_of(comparison, outcome)),
            signature=signature_of(comparison.operation, difference),
            curl_legacy=legacy,
            curl_target=target,
        )


def finding_id(comparison: Comparison, difference: Difference, nth: int) -> str:
    """A short id that tells a place, whatever waivers and other differences there are; `nth` tells equals apart."""
    parts = (comparison.session_id, comparison.step, comparison.name)
    text = "\0".join(map(str, (*parts, difference.facet, difference.pointer, difference.kind, nth)))
    return "d" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def _waivers_of(comparison: Comparison, outcome: DifferenceOutcome) -> tuple[str, ...]:
    if outcome is DifferenceOutcome.WAIVED:
        return comparison.waivers
    return comparison.cascades_from if outcome is DifferenceOutcome.CASCADED else ()


def _ids(comparison: Comparison, found: Iterable[tuple[Difference, DifferenceOutcome]]) -> Iterator[str]:
    seen: Counter[tuple[str, ...]] = Counter()
    for difference, _ in found:
        place = (difference.facet, difference.pointer, difference.kind)
        yield finding_id(comparison, difference, seen[place])
        seen[place] += 1


def _with_outcomes(comparison: Comparison) -> Iterable[tuple[Difference, DifferenceOutcome]]:
    for differences, outcome in (
        (comparison.differences, DifferenceOutcome.DIFFERENT),
        (comparison.waived, DifferenceOutcome.WAIVED),
        (comparison.cascaded, DifferenceOutcome.CASCADED),
        (comparison.noisy, DifferenceOutcome.NOISY),
    ):
        for difference in differences:
            yield difference, outcome
