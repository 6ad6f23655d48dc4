"""What traffic exercised: by operation, status and class of parameter; rates for recorded traffic only."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from harness.domain.compare.redacted import RedactedCount
from harness.domain.coverage import Coverage, CoverageCount, ParameterClass
from harness.domain.description import Place, described_operations
from harness.domain.difference import Comparison, Outcome
from harness.domain.record import Origin, SessionRecord, StepRecord
from tests.builders.records import JSON, answer, session, step

TRADE = {"type": "object", "properties": {"ticker": {"type": "string"}, "notes": {"type": "string"}}}
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/trades/": {
            "get": {
                "parameters": [{"in": "query", "name": "page"}, {"in": "header", "name": "X-Trace"}],
                "responses": {"200": {}, "422": {}, "default": {}},
            },
            "post": {
                "requestBody": {"$ref": "#/components/requestBodies/Trade"},
                "responses": {"201": {}, "4XX": {}},
            },
        },
        "/trades/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "delete": {"responses": {"204": {}}},
        },
    },
    "components": {
        "requestBodies": {"Trade": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}},
        "schemas": {"T": TRADE},
        "parameters": {"id": {"in": "path", "name": "id"}},
    },
}


def refusal(*loc: object) -> Any:
    return answer({"detail": [{"type": "x", "loc": list(loc), "msg": "no"}]}, 422)


def asked(request: str, response: Any = None, body: Any = None) -> StepRecord:
    response = response or answer({})
    return step(response, response, request, body=body, operation=request.split("?", maxsplit=1)[0])


def counted(*steps: StepRecord, document: Any = DOCUMENT) -> Coverage:
    count = CoverageCount(document)
    count.add(session(*steps), ())
    return count.coverage()


def classes(coverage: Coverage, operation: str, name: str) -> tuple[dict[str, int], set[str]]:
    (found,) = (each for each in coverage.operations if each.operation == operation)
    (parameter,) = (each for each in found.parameters if each.name == name)
    return dict(parameter.classes), set(parameter.never)


def test_operations_of_the_description_without_an_exchange_are_named() -> None:
    coverage = counted(asked("GET /trades/"))
    assert coverage.has_description
    assert coverage.never_exercised == ("POST /trades/", "DELETE /trades/{id}")
    assert coverage.operations[0].never == ("422",), "only statuses that are spelt out can be missed"


def test_query_parameters_are_present_absent_empty_or_refused() -> None:
    coverage = counted(
        asked("GET /trades/"),
        asked("GET /trades/?page=2"),
        asked("GET /trades/?page="),
        asked("GET /trades/?page=x", refusal("query", "page")),
        asked("GET /trades/?size=1&page=3", refusal("query", "size")),
    )
    assert classes(coverage, "GET /trades/", "page") == ({"present": 2, "absent": 1, "empty": 1, "refused": 1}, set())
    assert classes(coverage, "GET /trades/", "size") == ({"absent": 4, "refused": 1}, {"present", "empty"})
    assert classes(coverage, "GET /trades/", "X-Trace") == ({"absent": 5}, {"present", "refused"})


@pytest.mark.parametrize(
    ("body", "ticker"),
    [
        ({"ticker": "A"}, "present"), ({}, "absent"), ({"ticker": ""}, "empty"), ({"ticker": None}, "null"),
        ([], "absent"), (None, "absent"), ({"ticker": 0}, "present"), ({"ticker": False}, "present"),
    ],
)  # fmt: skip
def test_body_members_are_told_apart(body: Any, ticker: str) -> None:
    assert classes(counted(asked("POST /trades/", body=body)), "POST /trades/", "ticker")[0] == {ticker: 1}


def test_null_and_empty_stay_what_they_are_when_they_are_refused() -> None:
    refused = refusal("body", "ticker")
    coverage = counted(
        asked("POST /trades/", refused, {"ticker": None}),
        asked("POST /trades/", refused, {"ticker": ""}),
        asked("POST /trades/", refused, {"ticker": 5}),
    )
    assert classes(coverage, "POST /trades/", "ticker")[0] == {"null": 1, "empty": 1, "refused": 1}


def test_a_body_with_a_number_that_json_has_not_still_has_its_members() -> None:
    odd = step(refusal("body", "ticker"), answer({}), "POST /trades/")
    request = structs.replace(odd.pair.legacy.request, body=b'{"ticker":NaN,"notes":"x"}')
    odd = structs.replace(odd, pair=structs.replace(odd.pair, legacy=structs.replace(odd.pair.legacy, request=request)))
    assert classes(counted(odd), "POST /trades/", "ticker")[0] == {"refused": 1}


def test_a_missing_member_that_the_answer_names_is_absent_and_not_refused() -> None:
    coverage = counted(asked("POST /trades/", refusal("body", "ticker"), {"notes": "x"}))
    assert classes(coverage, "POST /trades/", "ticker")[0] == {"absent": 1}
    assert classes(coverage, "POST /trades/", "notes")[0] == {"present": 1}


def test_a_system_without_description_is_counted_by_what_was_asked() -> None:
    coverage = counted(asked("GET /a?x=1"), asked("GET /b"), document=None)
    assert not coverage.has_description and coverage.never_exercised == ()
    assert [(found.operation, found.is_described) for found in coverage.operations] == [
        ("GET /a", False),
        ("GET /b", False),
    ]
    assert classes(coverage, "GET /a", "x") == ({"present": 1}, {"absent", "empty", "refused"})


def recorded(name: str, *, is_different: bool) -> tuple[SessionRecord, list[Comparison]]:
    record = replace(session(asked("GET /a")), session_id=name, origin=Origin.RECORDED)
    outcome = Outcome.DIFFERENT if is_different else Outcome.WAIVED
    return record, [
        Comparison(session_id=name, group="g", step=n, name="x", operation="GET /a", outcome=outcome) for n in (1, 2)
    ]


def test_a_rate_is_claimed_for_recorded_traffic_with_the_session_as_the_unit() -> None:
    count = CoverageCount()
    for n in range(59):
        count.add(*recorded(f"s{n}", is_different=n == 0))
    rate = count.coverage().rates[0]
    assert (rate.operation, rate.sessions, rate.mismatched) == ("all", 59, 1), "two differences of one session are one"
    assert rate.rate == pytest.approx(1 / 59) and rate.upper == pytest.approx(0.07793, abs=2e-4)
    clean = CoverageCount()
    for n in range(59):
        clean.add(*recorded(f"s{n}", is_different=False))
    assert clean.coverage().rates[0].upper == pytest.approx(1 - 0.05 ** (1 / 59))


def test_no_rate_is_claimed_for_written_sessions() -> None:
    count = CoverageCount()
    record, comparisons = recorded("s", is_different=False)
    count.add(replace(record, origin=Origin.WRITTEN), comparisons)
    assert count.coverage().rates == ()


@pytest.mark.parametrize("document", [None, [], {"paths": []}, {"paths": {"/a": 1, "/b": {"get": 2}}}, "x"])
def test_a_malformed_description_describes_nothing(document: Any) -> None:
    assert described_operations(document) == {}


def test_references_that_lead_nowhere_or_round_in_circles_are_left_out() -> None:
    looping = {"$ref": "#/a"}
    operation = {"parameters": [looping, {"$ref": "#/none"}, {"in": "query", "name": "x"}], "requestBody": looping}
    found = described_operations({"a": looping, "paths": {"/a": {"get": operation}}})
    assert [parameter.name for parameter in found["GET /a"].parameters] == ["x"]


def test_every_place_has_its_classes() -> None:
    coverage = counted(asked("GET /trades/"))
    never = {parameter.place: set(parameter.never) for each in coverage.operations for parameter in each.parameters}
    assert never[Place.BODY] == set(ParameterClass) and never[Place.PATH] == {"present", "refused"}


def test_redacted_values_are_named_by_place() -> None:
    mark = "[redacted:0123456789abcdef]"
    count = RedactedCount()
    secret = answer({"items": [{"token": mark}]}, headers=(*JSON, ("Set-Cookie", f"sid={mark}")))
    count.add(session(asked("GET /a", secret), asked("GET /b"), asked("GET /c", answer(mark.encode()))))
    found = count.redacted()
    assert found.exchanges == 2
    assert found.places == ("GET /a body /items/*/token", "GET /a header set-cookie", "GET /c body")
    assert "equality only" in found.sentence
    assert RedactedCount().redacted().sentence == ""
