"""What `selftest` says of recorded systems: detected, missed with what excuses it, or no place."""

from dataclasses import replace

from harness.domain.compare.rules import Rules
from harness.domain.sabotage.catalogue import DEFECTS
from harness.domain.sabotage.detection import Detection, Trial, try_defects
from harness.domain.waiver import parse_waivers
from tests.builders.records import answer, session, step
from tests.sabotage.world import NOON, build_record

RULES = Rules(today=NOON.date())
WIDE = """
[[waiver]]
id = "wide"
quirk = "Q0"
reason = "Says little."
owner = "somebody"
expires_on = 2030-01-01
match = { operation = "GET /api/mode", pointers = ["/mode"] }
expect.legacy = { status = 200, body = { mode = "$STRING" } }
expect.target = { status = 200, body = "$ANY" }
"""


def by_name(trials: tuple[Trial, ...]) -> dict[str, Trial]:
    return {trial.defect: trial for trial in trials}


def test_every_defect_is_detected_in_a_system_that_has_a_place_for_it() -> None:
    trials = try_defects([build_record(NOON)], DEFECTS, RULES)
    assert [trial.defect for trial in trials] == [defect.name for defect in DEFECTS]
    assert {trial.detection for trial in trials} == {Detection.DETECTED}
    assert all(trial.shown is not None and trial.shown.found_as == "" for trial in trials), "each at its pointer"


def test_the_same_records_give_the_same_trials() -> None:
    few = DEFECTS[::9]
    assert try_defects([build_record(NOON)], few, RULES) == try_defects([build_record(NOON)], few, RULES)


def test_a_defect_that_was_there_before_does_not_count_as_found() -> None:
    (case,) = (defect for defect in DEFECTS if defect.name == "text-empty")
    legacy = answer({"name": "abc"})
    record = session(step(legacy, legacy), step(legacy, answer({"name": ""}), n=1))
    (trial,) = try_defects([record], [case], RULES)
    assert trial.detection is Detection.DETECTED and trial.places[0].step == 0
    broken = replace(
        RULES, waivers=parse_waivers(WIDE.replace("GET /api/mode", "GET /api/trades/").replace("mode", "name"))
    )
    (trial,) = try_defects([record], [case], broken)
    assert trial.detection is Detection.MISSED, "the second step's difference is not this defect's"


def test_what_a_wide_waiver_hides_is_missed_and_the_waiver_named() -> None:
    mode = answer({"mode": "dark"})
    record = session(step(mode, mode, "GET /api/mode"))
    assert by_name(try_defects([record], DEFECTS, RULES))["text-case"].detection is Detection.DETECTED
    waived = replace(RULES, waivers=parse_waivers(WIDE))
    trial = by_name(try_defects([record], DEFECTS, waived))["text-case"]
    assert trial.detection is Detection.MISSED
    assert trial.shown is not None and trial.shown.explained_by == "waiver wide"
    assert trial.shown.pointer == "/mode"


def test_systems_that_say_nothing_offer_no_place() -> None:
    silent = session(step("connection refused", "connection refused"))
    assert {trial.detection for trial in try_defects([silent, session()], DEFECTS, RULES)} == {Detection.NOT_APPLICABLE}


def test_numbers_that_no_float_holds_survive_planting() -> None:
    body = answer(b'{"big":123456789012345678901234567890,"exact":1.10,"name":"abc","n":7}')
    record = session(step(body, body))
    trials = try_defects([record], DEFECTS, RULES)
    assert by_name(trials)["text-case"].detection is Detection.DETECTED
    assert Detection.MISSED not in {trial.detection for trial in trials}


def test_becoming_like_the_legacy_is_no_defect() -> None:
    record = session(step(answer({}, 400), answer({}, 422)))
    trial = by_name(try_defects([record], DEFECTS, RULES))["status-invalid"]
    assert trial.detection is Detection.NOT_APPLICABLE
