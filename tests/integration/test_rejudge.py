"""`parakeet compare` on the run of a verification: the parity criteria and the decision follow the judgement."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness.adapters.evidence_store import open_run
from harness.adapters.http import utc_now
from harness.cli import run
from harness.domain.criterion import Check, CriterionEvidence
from harness.domain.errors import ExitCode
from harness.domain.evaluate import EvaluationContext, evaluate_criterion
from harness.domain.gate import decide_phases
from harness.domain.phase import Scope
from harness.domain.record import Origin, SessionRecord
from harness.wiring.manifest import RunInputs, Selection, new_manifest
from harness.wiring.report import save_decision
from scenarios.criteria import load_plan
from tests.builders.stored_records import step

ASKED = ("P1.parity", "P4.trades")
INPUTS = RunInputs(command=("parakeet", "verify"), environment="local", profile="full")


def alike() -> SessionRecord:
    """A session of trades that both sides answered alike."""
    steps = tuple(step(number) for number in (1, 2))
    named = tuple(structs.replace(each, pair=structs.replace(each.pair, group="trades")) for each in steps)
    return SessionRecord(
        session_id="s1",
        group="trades",
        origin=Origin.WRITTEN,
        legacy_schemas={},
        target_schemas={},
        steps=named,
        repeat=named,
    )


def different() -> SessionRecord:
    """The same, but for one value."""
    record = alike()
    legacy, target = (structs.replace(step(2, body).pair, group="trades") for body in (b'{"a":1}', b'{"a":2}'))
    changed = structs.replace(record.steps[1], pair=structs.replace(legacy, target=target.target))
    steps = (record.steps[0], changed)
    return replace(record, steps=steps, repeat=steps)


def verified_run(directory: Path, record: SessionRecord, *, is_decided: bool = True) -> Path:
    """A run that found nothing wrong when it was decided."""
    plan = load_plan()
    scope = Scope(
        environment="local",
        profile="full",
        criterion_ids=frozenset(c.id for wanted in ASKED for c in plan.find_criteria(wanted)),
    )
    required = tuple(c.id for c in plan.criteria if scope.requires(c))
    manifest = replace(new_manifest(INPUTS, utc_now(), Selection(criteria=ASKED)), required_criteria=required)
    store = open_run(directory, manifest)
    store.append_session(record)
    if is_decided:
        context = EvaluationContext(scope=scope, commit=manifest.commit, judged_at=utc_now())
        found = {
            c.id: CriterionEvidence(criterion_id=c.id, checks=(Check(name="as it was", passed=True),))
            for c in plan.criteria
            if c.id in required
        }
        results = {c.id: evaluate_criterion(c, found.get(c.id), context) for c in plan.criteria}
        save_decision(directory, decide_phases(plan, results, scope))
        store.finish(utc_now())
    store.close()
    return directory


def verdicts(directory: Path) -> tuple[str, dict[str, Any]]:
    """The stored decision, and the verdicts by criterion."""
    document = json.loads((directory / "decision.json").read_text())
    return document["decision"], {c["id"]: c["verdict"] for phase in document["phases"] for c in phase["criteria"]}


def test_a_difference_found_today_turns_go_into_no_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = verified_run(tmp_path / "run", different())
    assert verdicts(directory)[0] == "GO"
    assert run(["compare", "--run", str(directory)]) == ExitCode.NO_GO
    decision, by_criterion = verdicts(directory)
    assert decision == "NO_GO"
    assert by_criterion["P4.trades.parity"] == "fail"
    assert by_criterion["P4.trades.state"] == by_criterion["P1.parity"] == "pass", "nothing else is touched"
    assert by_criterion["P4.root.parity"] == "inconclusive", "it was not asked for"
    assert run(["gate", "--run", str(directory)]) == ExitCode.NO_GO
    assert "NO-GO" in (directory / "report.md").read_text()


def test_nothing_found_leaves_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = verified_run(tmp_path / "run", alike())
    assert run(["compare", "--run", str(directory)]) == ExitCode.GO
    assert verdicts(directory)[0] == "GO"
    assert (directory / "report.html").exists()


def test_a_verification_that_was_cut_off_has_no_report_and_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = verified_run(tmp_path / "run", alike(), is_decided=False)
    assert run(["compare", "--run", str(directory)]) == ExitCode.INCONCLUSIVE
    assert "cut off" in capsys.readouterr().err
    assert not (directory / "decision.json").exists() and not (directory / "report.html").exists()


def test_exchanges_of_another_run_are_not_judged_in_place_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory, other = verified_run(tmp_path / "run", different()), verified_run(tmp_path / "other", alike())
    (directory / "exchanges.jsonl.gz").write_bytes((other / "exchanges.jsonl.gz").read_bytes())
    assert run(["compare", "--run", str(directory)]) == ExitCode.USAGE
    assert "not the file that was judged" in capsys.readouterr().err
