"""The judge is tested by sabotage: every planted defect must be found where it was planted, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Outcome
from harness.domain.sabotage.catalogue import DEFECTS
from harness.domain.sabotage.defect import Defect
from harness.domain.signature import signature_of
from tests.sabotage.world import NOON, build_record

RULES = Rules(today=NOON.date())
MIDNIGHT = datetime(2026, 2, 28, 23, 59, 57, tzinfo=UTC)


def _shown(comparisons: tuple[Comparison, ...]) -> str:
    lines = [f"{c.step} {c.name}: {d}" for c in comparisons for d in c.differences]
    return "\n".join(lines) or "no difference"


def test_catalogue_names_are_unique_and_enough() -> None:
    names = [defect.name for defect in DEFECTS]
    assert len(names) == len(set(names))
    assert len(names) >= 60


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_defect_is_found_at_its_pointer(defect: Defect) -> None:
    planted = defect.plant(build_record(NOON))
    assert planted is not None, "the world offers no place for this defect"
    comparisons = judge_session(planted.record, RULES)
    assert planted.is_found_in(comparisons), (
        f"{planted.facet} {planted.pointer} at {planted.step}\n{_shown(comparisons)}"
    )
    assert comparisons[planted.step].outcome is Outcome.DIFFERENT
    found = [d for d in comparisons[planted.step].differences if d.facet is planted.facet and d.kind in planted.kinds]
    assert all(signature_of(comparisons[planted.step].operation, difference) for difference in found)


@pytest.mark.parametrize("seed", range(20))
def test_clean_run_raises_no_alarm(seed: int) -> None:
    # Every other run crosses midnight and a month's end somewhere in the session.
    start = MIDNIGHT - timedelta(milliseconds=137 * seed) if seed % 2 else NOON + timedelta(hours=seed)
    record = build_record(start, seed, target_first_id=9 + seed % 4)
    comparisons = judge_session(record, RULES)
    assert _shown(comparisons) == "no difference"
    assert Outcome.NOT_COMPARABLE not in {comparison.outcome for comparison in comparisons}


def test_clean_run_between_the_sides_of_midnight() -> None:
    """The legacy answers on one day and the target on the next, in every step in turn."""
    length = build_record(NOON).steps[-1].pair.legacy.sent_at - NOON
    for part in range(60):
        record = build_record(MIDNIGHT.replace(second=59, microsecond=990_000) - length * part / 60, 5)
        assert _shown(judge_session(record, RULES)) == "no difference"


def test_clean_run_shows_what_it_normalised() -> None:
    outcomes = {comparison.name: comparison.outcome for comparison in judge_session(build_record(NOON), RULES)}
    assert outcomes["assets"] is Outcome.IDENTICAL
    assert outcomes["health"] is Outcome.NOISY
    assert outcomes["slash"] is Outcome.EQUIVALENT
    assert outcomes["page 1"] in (Outcome.NOISY, Outcome.EQUIVALENT)


def test_judging_twice_gives_the_same() -> None:
    record = build_record(NOON)
    assert judge_session(record, RULES) == judge_session(record, RULES)
