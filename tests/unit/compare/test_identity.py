"""The bijection between rows: learning, translating, ending, refusing."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.exchange import Request
from harness.domain.identity import Identity
from tests.builders.records import SCHEMAS, answer, delete, insert, step


def _create(mine: int, theirs: int, code: str = "a") -> object:
    return step(
        answer({"id": mine, "code": code}, 201),
        answer({"id": theirs, "code": code}, 201),
        "POST /api/trades",
        legacy_changes=(insert(mine, code),),
        target_changes=(insert(theirs, code),),
    )


def _learned(*pairs: tuple[int, int]) -> Identity:
    identity = Identity()
    for mine, theirs in pairs:
        identity.learn(_create(mine, theirs, f"c{mine}"), SCHEMAS)  # type: ignore[arg-type]
    return identity


def test_request_is_translated_in_path_query_and_body() -> None:
    request = Request(
        method="PATCH",
        url="/api/trades/9/close?note=9&trade_id=9&x={{id}}",
        body=orjson.dumps({"id": 9, "quantity": 9, "trade_ids": [9, 3], "code": "9"}),
    )
    sent, changes = _learned((9, 12)).to_target(request)
    assert sent.url == "/api/trades/12/close?note=9&trade_id=12&x={{id}}"
    assert orjson.loads(sent.body or b"") == {"id": 12, "quantity": 9, "trade_ids": [12, 3], "code": "9"}
    assert "/api/trades/9: 9 -> 12" in changes
    assert len(changes) == 4


def test_nothing_is_touched_while_ids_agree() -> None:
    request = Request(method="GET", url="/api/trades/9?a=%20b", body=b'{ "id" : 9 }')
    assert _learned((9, 9)).to_target(request) == (request, ())


def test_request_for_an_unknown_row_never_meets_a_known_one() -> None:
    # The target's 12 is the legacy's 9, so the legacy's own 12 (which is no row) must not be sent there.
    sent, _ = _learned((9, 12)).to_target(Request(method="GET", url="/api/trades/12"))
    assert sent.url == "/api/trades/9"


def test_inserts_are_paired_by_content() -> None:
    identity = Identity()
    record = step(
        answer({}),
        answer({}),
        "POST /bulk",
        legacy_changes=(insert(9, "a"), insert(10, "b")),
        target_changes=(insert(20, "b"), insert(21, "a")),
    )
    assert identity.learn(record, SCHEMAS) == ()
    assert identity.pairs("trades") == {9: 21, 10: 20}


def test_two_ids_for_one_row_are_reported() -> None:
    identity = _learned((9, 12))
    broken = identity.learn(_create(10, 12, "z"), SCHEMAS)  # type: ignore[arg-type]
    assert [d.kind.value for d in broken] == ["identity"]
    assert identity.pairs("trades") == {9: 12}


def test_confirmed_delete_frees_the_key() -> None:
    identity = _learned((9, 12))
    gone = step(answer({}), answer({}), "DELETE /x/9", legacy_changes=(delete(9),), target_changes=(delete(12),))
    identity.learn(gone, SCHEMAS)
    assert identity.to_target(Request(method="GET", url="/api/trades/9"))[0].url == "/api/trades/12"
    assert identity.learn(_create(9, 13), SCHEMAS) == ()  # type: ignore[arg-type]
    assert identity.reused == ("trades/9",)
    assert identity.pairs("trades") == {9: 13}


def test_answers_teach_where_no_rows_are_seen() -> None:
    identity = Identity()
    identity.learn(step(answer({"id": "x1"}, 201), answer({"id": "y7"}, 201), "POST /api/jobs"), SCHEMAS)
    sent, changes = identity.to_target(Request(method="GET", url="/api/jobs/x1/state"))
    assert sent.url == "/api/jobs/y7/state"
    assert changes == ("/api/jobs/x1: x1 -> y7",)
    assert identity.to_target(Request(method="GET", url="/api/other/x2"))[0].url == "/api/other/x2"


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.booleans()), max_size=25))
def test_mapping_stays_one_to_one(events: list[tuple[int, int, bool]]) -> None:
    identity = Identity()
    for mine, theirs, is_delete in events:
        if is_delete:
            changes = {"legacy_changes": (delete(mine),), "target_changes": (delete(theirs),)}
            identity.learn(step(answer({}), answer({}), "DELETE /t/1", **changes), SCHEMAS)  # type: ignore[arg-type]
        else:
            identity.learn(_create(mine, theirs), SCHEMAS)  # type: ignore[arg-type]
        pairs = identity.pairs("trades")
        assert len(set(pairs.values())) == len(pairs)
        images = [identity.image("trades", key) for key in range(1, 12)]
        assert len(set(images)) == len(images)
