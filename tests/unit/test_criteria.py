"""The list of criteria of this migration, held against the report that asked for it."""

from pathlib import Path

import pytest

from harness.domain.errors import ConfigurationError
from scenarios.criteria import load_plan

SEEDS = Path(__file__).resolve().parents[2] / ".." / "shared" / "seeds"
ROUTERS = ("root", "trades", "data", "universes", "strategies", "dashboard", "scanner", "quant2", "validation")


def test_every_phase_is_there_in_order_with_criteria() -> None:
    plan = load_plan()
    assert [phase.number for phase in plan.phases] == list(range(1, 9))
    assert all(phase.criteria for phase in plan.phases)
    assert all(criterion.phase == phase.number for phase in plan.phases for criterion in phase.criteria)


def test_every_router_has_parity_and_state() -> None:
    ids = {criterion.id for criterion in load_plan().criteria}
    assert {f"P4.{router}.{kind}" for router in ROUTERS for kind in ("parity", "state")} <= ids


def test_the_quick_profile_has_only_criteria_with_a_probe() -> None:
    quick = [criterion for criterion in load_plan().criteria if criterion.in_quick]
    assert {"P1.1", "P1.2", "P1.parity", "P3.2", "P4.trades.parity", "P4.trades.state"} <= {c.id for c in quick}
    assert all(criterion.probe for criterion in quick)


def test_every_target_has_a_unit_and_a_measurement() -> None:
    with_target = [criterion for criterion in load_plan().criteria if criterion.target is not None]
    assert with_target
    assert all(criterion.unit and criterion.measurement for criterion in with_target)


def test_every_seed_reference_is_a_line_of_the_seed() -> None:
    if not SEEDS.is_dir():
        pytest.skip(f"the migration report is not at {SEEDS}")
    lines = [line for file in SEEDS.iterdir() for line in file.read_text(encoding="utf-8").splitlines()]
    plan = load_plan()
    references = [entry.seed_ref for entry in (*plan.criteria, *plan.phases, *plan.benchmarks) if entry.seed_ref]
    assert references
    assert [reference for reference in references if not any(reference in line for line in lines)] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("phase = 3", "criteria cannot be read"),
        ("[[phase]]\nnumber = 1\ntitel = 'x'\ncriterion = []", "titel"),
        (
            "[[phase]]\nnumber = 1\ntitle = 'x'\n[[phase.criterion]]\nid = 'a'\ntitle = 'x'\n"
            "[[phase.criterion]]\nid = 'a'\ntitle = 'y'\n",
            "named twice: \\['a'\\]",
        ),
        ("not toml", "criteria cannot be read"),
    ],
)
def test_a_wrong_list_is_refused_with_the_reason(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "criteria.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        load_plan(file)
