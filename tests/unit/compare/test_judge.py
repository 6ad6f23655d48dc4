"""Whole sessions: transport, bases, identity, pages, waivers, cascades."""

import time
from dataclasses import replace
from datetime import date, timedelta, timezone
from typing import Any

import pytest
from msgspec import structs

from harness.domain.compare.judge import judge_initial_state, judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import DifferenceKind, Facet, Outcome
from harness.domain.exchange import Side
from harness.domain.finding_records import difference_records
from harness.domain.rows import TableRows
from harness.domain.waiver import parse_waivers
from tests.builders.records import BASES, SCHEMAS, START, answer, delete, insert, session, step, update

RULES = Rules(today=date(2026, 2, 4))


def _one(legacy: Any, target: Any, **parts: Any) -> Any:
    return judge_session(session(step(legacy, target, **parts)), RULES)[0]


def test_equal_bytes_are_identical() -> None:
    assert _one(answer({"a": 1}), answer({"a": 1})).outcome is Outcome.IDENTICAL


def test_other_member_order_is_equivalent() -> None:
    assert _one(answer(b'{"a":1,"b":2}'), answer(b'{"b": 2, "a": 1}')).outcome is Outcome.EQUIVALENT


def test_one_silent_side_is_a_transport_difference() -> None:
    comparison = _one(answer({"a": 1}), "connection reset")
    assert comparison.outcome is Outcome.DIFFERENT
    assert comparison.differences[0].facet is Facet.TRANSPORT


def test_two_silent_sides_are_not_comparable() -> None:
    assert _one("refused", "refused").outcome is Outcome.NOT_COMPARABLE


def test_own_address_is_equivalent_and_the_other_side_s_is_not() -> None:
    mine, theirs = ({"next": f"{BASES[side]}/x"} for side in (Side.LEGACY, Side.TARGET))
    assert _one(answer(mine), answer(theirs)).outcome is Outcome.EQUIVALENT
    assert _one(answer(mine), answer(mine)).outcome is Outcome.DIFFERENT


@pytest.mark.parametrize(
    "junk", [b"\x00\xff", b"\x1f\x8b\x08broken", b"[" * 3000, b"", b"\xef\xbb\xbf", b'"\\ud800"', b"NaN"]
)
@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, deflate", "", "unheard-of"])
def test_no_bytes_break_the_judge(junk: bytes, coding: str) -> None:
    headers = (("content-type", "application/json; charset=nonsense"), ("content-encoding", coding))
    comparison = _one(answer(junk, headers=headers), answer({"a": 1}, headers=headers))
    assert comparison.outcome is Outcome.DIFFERENT
    assert _one(answer(junk, headers=headers), answer(junk, headers=headers)).outcome is Outcome.IDENTICAL


def test_a_deep_document_is_still_compared() -> None:
    for depth in (90, 140, 240, 260, 400, 900, 5000):
        mine, theirs = (b"[" * depth + leaf + b"]" * depth for leaf in (b"1", b"2"))
        assert _one(answer(mine), answer(theirs)).outcome is Outcome.DIFFERENT
        assert _one(answer(mine), answer(mine + b" ")).outcome is not Outcome.IDENTICAL
        exact = mine.replace(b"1", b"1.10"), mine.replace(b"1", b"1.1")
        assert _one(answer(exact[0]), answer(exact[1])).outcome is Outcome.DIFFERENT


def test_many_differences_take_no_quadratic_time() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES))
    mine, theirs = [{"id": n, "v": n} for n in range(15_000)], [{"id": n, "v": n + 1} for n in range(15_000)]
    listed = step(answer({"rows": mine}), answer({"rows": theirs}), "GET /t", n=1)
    started = time.process_time()
    comparison = judge_session(session(_bad(), listed), rules)[1]
    assert len(comparison.differences) == 14_999  # the waived row has cascaded
    assert time.process_time() - started < 20


def test_ids_of_the_same_row_are_equivalent_and_other_ids_break_identity() -> None:
    created = step(
        answer({"id": 9, "code": "a"}, 201),
        answer({"id": 12, "code": "a"}, 201),
        "POST /api/trades",
        legacy_changes=(insert(9),),
        target_changes=(insert(12),),
    )
    same = step(answer({"id": 9}), answer({"id": 12}), "GET /api/trades/9", n=1)
    equal_but_wrong = step(answer({"id": 9}), answer({"id": 9}), "GET /api/trades/9", n=2)
    first, second, third = judge_session(session(created, same, equal_but_wrong), RULES)
    assert first.outcome is Outcome.EQUIVALENT
    assert second.outcome is Outcome.EQUIVALENT
    assert [(d.pointer, d.kind) for d in third.differences] == [("/id", DifferenceKind.IDENTITY)]


def test_reuse_of_a_deleted_row_s_id_is_noted() -> None:
    steps = (
        step(answer({}), answer({}), "DELETE /t/9", legacy_changes=(delete(9),), target_changes=(delete(9),)),
        step(
            answer({"id": 9}, 201),
            answer({"id": 10}, 201),
            "POST /t",
            n=1,
            legacy_changes=(insert(9),),
            target_changes=(insert(10),),
        ),
    )
    second = judge_session(session(*steps), RULES)[1]
    assert second.outcome is Outcome.EQUIVALENT
    assert "trades/9" in second.note
    waivers = parse_waivers(_REUSE)
    waived = judge_session(session(*steps), replace(RULES, waivers=waivers))[1]
    assert (waived.outcome, waived.waivers) == (Outcome.WAIVED, ("id-reuse",))


def test_pages_are_compared_as_the_union_that_they_cut() -> None:
    rows = [{"id": n, "day": "x"} for n in range(4)]
    pages = (
        step(answer([rows[0], rows[1]]), answer([rows[0], rows[2]]), "GET /t?page=1", tie=("day",)),
        step(answer([rows[2], rows[3]]), answer([rows[1], rows[3]]), "GET /t?page=2", n=1, tie=("day",)),
        step(answer([]), answer([]), "GET /t?page=3", n=2, tie=("day",)),
    )
    assert {c.outcome for c in judge_session(session(*pages), RULES)} == {Outcome.EQUIVALENT, Outcome.IDENTICAL}
    # The row that left page 1 shows up nowhere: it was lost, not moved.
    lost = step(answer([rows[2], rows[3]]), answer([rows[2], rows[3]]), "GET /t?page=2", n=1, tie=("day",))
    assert judge_session(session(pages[0], lost, pages[2]), RULES)[0].outcome is Outcome.DIFFERENT


def _two_pages(mine: list[Any], theirs: list[Any], *between: Any) -> set[Outcome]:
    answers = enumerate(zip(mine, theirs, strict=True))
    pages = [step(answer(a), answer(b), f"GET /t?page={n}", n=n, tie=("day",)) for n, (a, b) in answers]
    return {found.outcome for found in judge_session(session(pages[0], *between, *pages[1:]), RULES)}


def test_an_element_on_two_pages_is_a_difference() -> None:
    a, b, c, d, e = ({"id": n, "day": "x"} for n in range(5))
    assert Outcome.DIFFERENT not in _two_pages([[a, b], [c, d]], [[c, b], [a, d]])
    assert Outcome.DIFFERENT not in _two_pages([[a, b], [c, d]], [[a, b], [c, e]]), "e may be of a page not read"
    assert Outcome.DIFFERENT in _two_pages([[a, b], [c]], [[a, b], [b]]), "c is on no page"
    assert Outcome.DIFFERENT in _two_pages([[a, b], [c, d]], [[a, b], [c, b]]), "d is on no page"
    assert Outcome.DIFFERENT in _two_pages([[a, b], [c, d]], [[a, b], [d, a]])
    moved = step(answer({}), answer({}), "POST /t", n=9)
    assert Outcome.DIFFERENT not in _two_pages([[a, b], [c, d]], [[a, b], [c, b]], moved), "a write moves elements"


def test_untied_order_is_a_difference() -> None:
    mine, theirs = [{"id": 1, "day": "a"}, {"id": 2, "day": "b"}], [{"id": 2, "day": "b"}, {"id": 1, "day": "a"}]
    assert _one(answer(mine), answer(theirs), tie=("day",)).outcome is Outcome.DIFFERENT


def _noisy(first: Any, second: Any, **rules: Any) -> Any:
    """A clock answered twice: (legacy, target) bodies of both passes."""
    steps = step(answer(first[0]), answer(first[1]))
    repeat = step(answer(second[0]), answer(second[1]), at=START + timedelta(minutes=5))
    return judge_session(session(steps, repeat=(repeat,)), replace(RULES, **rules))[0]


def _clock(text: str) -> dict[str, str]:
    return {"at": text}


def test_clock_within_its_request_is_noise() -> None:
    first = _clock("2026-02-04T12:00:00.010000"), _clock("2026-02-04T12:00:00.020000")
    second = _clock("2026-02-04T12:05:00.010000"), _clock("2026-02-04T12:05:00.030000")
    assert _noisy(first, second).outcome is Outcome.NOISY


def test_clock_is_read_in_the_contract_s_zone() -> None:
    zone = timezone(timedelta(hours=10))
    first = _clock("2026-02-04T22:00:00.010000"), _clock("2026-02-04T22:00:00.020000")
    second = _clock("2026-02-04T22:05:00.010000"), _clock("2026-02-04T22:05:00.020000")
    assert _noisy(first, second).differences[0].kind is DifferenceKind.CLOCK
    assert _noisy(first, second, contract_zone=zone).outcome is Outcome.NOISY


def test_clock_of_another_precision_is_a_difference() -> None:
    first = _clock("2026-02-04T12:00:00"), _clock("2026-02-04T12:00:00.020000")
    second = _clock("2026-02-04T12:05:00"), _clock("2026-02-04T12:05:00.020000")
    assert _noisy(first, second).differences[0].kind is DifferenceKind.CLOCK


def _background(*, polled: bool) -> Any:
    """Work that step 0 starts is done within its window on one side, while step 1 waits on the other."""

    def run(minute: int) -> Any:
        at = START + timedelta(minutes=minute)
        done = [answer(_clock(f"2026-02-04T12:{minute:02d}:{second}0000")) for second in ("00.11", "01.05")]
        return step(answer({}), answer({}), at=at), step(*done, n=1, at=at, polled=polled)

    return judge_session(session(*run(0), repeat=run(5)), RULES)[1]


def test_background_work_may_end_at_any_moment_of_the_wait() -> None:
    assert _background(polled=True).outcome is Outcome.NOISY
    assert _background(polled=False).differences[0].kind is DifferenceKind.CLOCK


def test_noise_on_one_side_excuses_nothing() -> None:
    first = {"v": "ab12cd34"}, {"v": "00000000"}
    second = {"v": "12ab34cd"}, {"v": "00000000"}
    assert _noisy(first, second).outcome is Outcome.DIFFERENT


@pytest.mark.parametrize(
    ("target", "again", "outcome"),
    [
        ("beefbeef", "deadbeef", Outcome.NOISY),
        ("beefbee", "deadbee", Outcome.DIFFERENT),
        ("zzzzzzzz", "yyyyyyyy", Outcome.DIFFERENT),
        (12345678, 23456789, Outcome.DIFFERENT),
        (None, "deadbeef", Outcome.DIFFERENT),
    ],
)
def test_token_keeps_its_shape(target: Any, again: Any, outcome: Outcome) -> None:
    assert _noisy(({"v": "ab12cd34"}, {"v": target}), ({"v": "12ab34cd"}, {"v": again})).outcome is outcome


def test_created_at_may_not_be_read_again() -> None:
    def bodies(second: str, again: str) -> list[Any]:
        return [answer(_clock(f"2026-02-04T12:0{second}.01")), answer(_clock(f"2026-02-04T12:0{again}.02"))]

    steps = step(*bodies("0:00", "0:00")), step(*bodies("0:00", "0:03"), n=3)
    later = START + timedelta(minutes=5)
    repeat = step(*bodies("5:00", "5:00"), at=later), step(*bodies("5:00", "5:03"), n=3, at=later)
    comparisons = judge_session(session(*steps, repeat=repeat), RULES)
    assert [c.outcome for c in comparisons] == [Outcome.NOISY, Outcome.DIFFERENT]


def test_state_is_compared_even_where_answers_agree() -> None:
    lost = step(answer({}), answer({}), "POST /t", legacy_changes=(insert(9),))
    changed = step(
        answer({}),
        answer({}),
        "PATCH /t/1",
        n=1,
        legacy_changes=(update(1, "a", "b"),),
        target_changes=(update(1, "a", "c"),),
    )
    first, second = judge_session(session(lost, changed), RULES)
    assert [(d.pointer, d.kind) for d in first.differences] == [("/trades/9", DifferenceKind.MISSING)]
    assert [(d.pointer, d.kind) for d in second.differences] == [("/trades/1/code", DifferenceKind.VALUE)]


def test_initial_states_are_compared_cell_by_cell() -> None:
    legacy = {"trades": TableRows(schema=SCHEMAS["trades"], rows=((1, "a", "2026-01-01 00:00:00"), (2, "", None)))}
    target = {"trades": TableRows(schema=SCHEMAS["trades"], rows=((1, "a", START), (3, "c", None)))}
    found = judge_initial_state(legacy, target, RULES)
    assert [(d.pointer, d.kind.value) for d in found] == [
        ("/trades/1/created_at", "value"),
        ("/trades/2", "missing"),
        ("/trades/3", "extra"),
    ]


_REUSE = """
[[waiver]]
id = "id-reuse"
quirk = "Q7"
reason = "Ids are never given twice."
owner = "backend lead"
expires_on = 2027-01-31
match = { event = "id_reuse" }
"""
_PROSE = """
[[waiver]]
id = "prose"
quirk = "9"
reason = "Prose is no part of the contract."
owner = "product owner"
expires_on = 2027-01-31
match = { operation = "GET /t", pointers = ["/message"] }
expect.legacy = { status = 200, body = "$ANY" }
expect.target = { status = 200, body = "$ANY" }
"""
_STORES = """
[[waiver]]
id = "bad-code"
quirk = "Q1"
reason = "A bad code is refused."
owner = "backend lead"
expires_on = 2027-01-31

[waiver.match]
operation = "POST /t"
body = { code = "bad" }

[waiver.expect.legacy]
status = 500
body = { error = "$TEXT" }

[waiver.expect.target]
status = 422
body = { detail = [{ type = "value", "$REST" = "$ANY" }] }

[waiver.rows]
state = "legacy_only_stores"
"""


_REST = """
[[waiver]]
id = "kind"
quirk = "Q0"
reason = "Another kind."
owner = "somebody"
expires_on = 2027-01-01
match = { operation = "GET /t" }
expect.legacy = { status = STATUS, body = [LEGACY] }
expect.target = { status = 200, body = [{ kind = "new", "$REST" = "$ANY" }] }
"""


def _bad(legacy_status: int = 500, target_status: int = 422, code: str = "bad") -> Any:
    return step(
        answer({"error": "boom"}, legacy_status),
        answer({"detail": [{"type": "value", "msg": "no"}]}, target_status),
        "POST /t",
        body={"code": code},
        legacy_changes=(insert(9, code),),
    )


def test_waiver_asserts_both_sides() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES))
    waived = judge_session(session(_bad()), rules)[0]
    assert (waived.outcome, waived.waivers, waived.differences) == (Outcome.WAIVED, ("bad-code",), ())
    for other in (_bad(legacy_status=400), _bad(target_status=400), _bad(code="other")):
        assert judge_session(session(other), rules)[0].outcome is Outcome.DIFFERENT


def test_waiver_covers_no_other_rows_than_it_says() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES))
    both = structs.replace(_bad(), target_changes=(insert(9, "worse"),))
    assert judge_session(session(both), rules)[0].outcome is Outcome.DIFFERENT


def test_waiver_for_prose_waives_another_wording_only() -> None:
    rules = replace(RULES, waivers=parse_waivers(_PROSE))

    def judged(body: Any) -> Outcome:
        return judge_session(session(step(answer({"message": "a", "n": 1}), answer(body), "GET /t")), rules)[0].outcome

    assert judged({"message": "b", "n": 1}) is Outcome.WAIVED
    for body in ({"n": 1}, {"message": None, "n": 1}, {"message": "b", "n": 2}, {"message": "b", "n": 1, "x": 1}):
        assert judged(body) is Outcome.DIFFERENT


@pytest.mark.parametrize(
    ("status", "legacy"),
    [(200, '{ kind = "old", n = 1, notes = "$NULL" }'), (404, '{ kind = "old", "$REST" = "$ANY" }')],
)
def test_what_rest_leaves_open_is_not_waived_away(status: int, legacy: str) -> None:
    rules = replace(RULES, waivers=parse_waivers(_REST.replace("LEGACY", legacy).replace("STATUS", str(status))))

    def judged(body: Any) -> Outcome:
        old = answer([{"kind": "old", "n": 1, "notes": None}], status)
        return judge_session(session(step(old, answer([{"kind": "new", **body}]), "GET /t")), rules)[0].outcome

    assert judged({"n": 1, "notes": None}) is Outcome.WAIVED
    for body in ({"n": 1}, {"n": "1", "notes": None}, {"n": 1, "notes": ""}, {"n": [1], "notes": None}):
        assert judged(body) is Outcome.DIFFERENT


def test_expired_waiver_explains_nothing() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES), today=date(2027, 2, 1))
    comparison = judge_session(session(_bad()), rules)[0]
    assert comparison.outcome is Outcome.DIFFERENT
    assert "expired" in comparison.note


def test_what_follows_from_a_waived_row_is_cascaded() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES))
    mine, theirs = [{"id": 1, "v": 1}, {"id": 9, "v": 2}], [{"id": 1, "v": 1}]
    listed = step(answer({"rows": mine, "total": 2}), answer({"rows": theirs, "total": 1}), "GET /t", n=1)
    retyped = step(answer({"rows": mine, "total": 2}), answer({"rows": theirs, "total": "1"}), "GET /t", n=2)
    another = step(answer({"id": 1, "v": 1}), answer({"id": 1, "v": 2}), "GET /t/1", n=3)
    comparisons = judge_session(session(_bad(), listed, retyped, another), rules)
    assert [c.outcome for c in comparisons] == [
        Outcome.WAIVED,
        Outcome.CASCADED,
        Outcome.DIFFERENT,
        Outcome.DIFFERENT,
    ]
    assert "bad-code" in comparisons[1].note
    assert [found.waiver for found in difference_records(comparisons[1], None)] == ["bad-code", "bad-code"]
    assert [d.pointer for d in comparisons[2].differences] == ["/total"]


def test_cascade_ends_with_the_row() -> None:
    rules = replace(RULES, waivers=parse_waivers(_STORES))
    gone = step(answer({}), answer({}), "DELETE /t/9", n=1, legacy_changes=(delete(9, "bad"),))
    later = step(answer({"total": 2}), answer({"total": 1}), "GET /t", n=2)
    outcomes = [c.outcome for c in judge_session(session(_bad(), gone, later), rules)]
    assert outcomes == [Outcome.WAIVED, Outcome.CASCADED, Outcome.DIFFERENT]
