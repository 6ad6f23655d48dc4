"""The report as JUnit XML: a suite for each phase, a case for each criterion, and a suite of sessions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from harness.domain.criterion import CriterionResult, PhaseDecision, Verdict
from harness.domain.difference import Outcome
from harness.domain.findings import ComparisonRecord
from reports.text import one_line, visible

FILE_NAME = "junit.xml"
_COUNTED = ("failure", "error", "skipped")
_PASSED = "passed"
_CASES = "cases"
"""Stands for the cases of sessions until they are written."""


def render_junit(
    phases: Sequence[PhaseDecision], comparisons: Iterable[ComparisonRecord] | None, started_at: str
) -> Iterator[bytes]:
    """The XML document in pieces: memory does not grow with the comparisons, which are gone through twice.

    A required criterion without a settled verdict is an error, not a skip: a run that shows nothing must not look
    green. Criteria that the run was not asked to decide are skipped. Comparisons of a session stand together.
    """
    root = Element("testsuites", name="parakeet")
    for phase in phases:
        suite = _suite(root, f"Phase {phase.phase}: {phase.title}", started_at)
        for result in phase.criteria:
            _criterion_case(suite, phase, result)
        _set_counts(suite, Counter(case[0].tag if len(case) else _PASSED for case in suite))
    counted = Counter(case[0].tag if len(case) else _PASSED for case in _session_cases(comparisons or ()))
    if counted:
        suite = _suite(root, "Sessions", started_at)
        SubElement(suite, _CASES)
        _set_counts(suite, counted)
    _count_all(root)
    indent(root)
    head, _, tail = tostring(root, encoding="utf-8", xml_declaration=True).partition(f"<{_CASES} />".encode())
    yield head
    for number, case in enumerate(_session_cases(comparisons or ()) if counted else ()):
        indent(case, level=2)
        yield (b"\n    " if number else b"") + tostring(case, encoding="utf-8")
    yield tail + b"\n"


def _suite(root: Element, name: str, started_at: str) -> Element:
    return SubElement(root, "testsuite", name=visible(name), timestamp=started_at)


def _criterion_case(suite: Element, phase: PhaseDecision, result: CriterionResult) -> None:
    name = one_line(f"{result.id} {result.title}")
    case = SubElement(suite, "testcase", name=name, classname=f"phase_{phase.phase}", time="0")
    message = one_line(result.reason)
    if result.verdict is Verdict.FAIL:
        SubElement(case, "failure", type="fail", message=message).text = _evidence(result)
    elif result.verdict is not Verdict.PASS and result.is_required:
        SubElement(case, "error", type=result.verdict.value, message=message).text = _evidence(result)
    elif result.verdict is not Verdict.PASS:
        SubElement(case, "skipped", message=message)


def _evidence(result: CriterionResult) -> str:
    return visible(f"evidence: {', '.join(result.evidence) or 'none'}")


def _session_cases(comparisons: Iterable[ComparisonRecord]) -> Iterator[Element]:
    for session_id, steps in groupby(comparisons, key=lambda comparison: comparison.session_id):
        by_group: dict[str, list[ComparisonRecord]] = defaultdict(list)
        for comparison in steps:
            by_group[comparison.group].append(comparison)
        for group, members in by_group.items():
            case = Element("testcase", name=visible(session_id), classname=visible(f"session.{group}"), time="0")
            _explain(case, members)
            yield case


def _explain(case: Element, members: Sequence[ComparisonRecord]) -> None:
    differing = [m for m in members if m.outcome is Outcome.DIFFERENT]
    if differing:
        steps = ", ".join(f"step {member.step}" for member in differing)
        found = "\n".join(one_line(signature) for member in differing for signature in member.signatures)
        SubElement(case, "failure", type="different", message=f"unexplained differences in {steps}").text = found
    elif all(member.outcome is Outcome.NOT_COMPARABLE for member in members):
        SubElement(case, "error", type="not_comparable", message=one_line(members[0].note or "nothing comparable"))


def _set_counts(suite: Element, counted: Counter[str]) -> None:
    suite.set("tests", str(counted.total()))
    for outcome, attribute in zip(_COUNTED, ("failures", "errors", "skipped"), strict=True):
        suite.set(attribute, str(counted[outcome]))
    suite.set("time", "0")


def _count_all(root: Element) -> None:
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
