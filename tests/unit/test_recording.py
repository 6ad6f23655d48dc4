"""An answer matches its recording by exactly the rules of the format."""

import json
from typing import Any

import pytest

from harness.domain.exchange import Headers, Response
from harness.domain.recording import Mismatch, Place, match_answer
from harness.domain.session import RecordedResponse, Step

_PLACE = Place(base_url="http://127.0.0.1:8123", app_root="/srv/app")
_JSON: Headers = (("content-type", "application/json"),)


def _match(
    recorded: Any,
    answered: Any,
    *,
    status: int = 200,
    recorded_headers: Headers = _JSON,
    headers: Headers = _JSON,
    place: Place = _PLACE,
    **rules: Any,
) -> list[str]:
    step = Step(
        n=1,
        name="x",
        method="GET",
        url="/",
        recorded=RecordedResponse(status=200, headers=recorded_headers, body=recorded),
        **rules,
    )
    body = answered if isinstance(answered, bytes) else json.dumps(answered).encode()
    response = Response(status=status, headers=headers, body=body)
    return [found.pointer for found in match_answer(step, response, place)]


def test_the_same_answer_matches() -> None:
    assert _match({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}) == []


@pytest.mark.parametrize(
    ("recorded", "answered", "pointers"),
    [
        ({"a": 10}, {"a": 10.0}, ["/a"]),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": 1}, {"a": "1"}, ["/a"]),
        ({"a": None}, {}, ["/a"]),
        ({}, {"a": None}, ["/a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["/a/0", "/a/1"]),
        ({"a": [1]}, {"a": [1, 2]}, ["/a"]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, ["/a~1b/~0"]),
        ([], {}, [""]),
        ("", {}, [""]),
    ],
)
def test_every_difference_is_named_by_its_pointer(recorded: Any, answered: Any, pointers: list[str]) -> None:
    assert _match(recorded, answered) == pointers


def test_a_mismatch_tells_both_values() -> None:
    step = Step(
        n=1, name="x", method="GET", url="/", recorded=RecordedResponse(status=200, headers=_JSON, body={"a": "é"})
    )
    response = Response(status=200, headers=_JSON, body=b'{"a":1}')
    assert match_answer(step, response, _PLACE) == (Mismatch(pointer="/a", recorded='"é"', answered="1"),)


def test_the_status_counts() -> None:
    assert _match({}, {}, status=201) == ["status"]


@pytest.mark.parametrize(
    ("recorded", "answered", "pointers"),
    [
        ((), (("Vary", "Origin"),), ["header vary"]),
        ((("vary", "Origin"),), (), ["header vary"]),
        ((("vary", "Origin"),), (("vary", "Origin"), ("vary", "Accept")), ["header vary"]),
        ((("allow", "GET, HEAD"),), (("allow", "HEAD, GET"),), []),
        ((("allow", "GET"),), (("allow", "POST"),), ["header allow"]),
        ((), (("server", "uvicorn"), ("date", "today")), []),
        ((("location", "$BASE/api"),), (("location", "http://127.0.0.1:8123/api"),), []),
        ((("location", "$BASE/api"),), (("location", "https://127.0.0.1:8123/api"),), ["header location"]),
        ((("location", "https://$HOSTPORT/api"),), (("location", "https://127.0.0.1:8123/api"),), []),
    ],
)
def test_kept_headers_count_and_others_do_not(recorded: Headers, answered: Headers, pointers: list[str]) -> None:
    assert _match(b"".decode(), b"", recorded_headers=recorded, headers=answered) == pointers


def test_a_volatile_header_must_be_there_in_its_format() -> None:
    recorded: Headers = (("location", "2026-01-01"),)
    rules = {"recorded_headers": recorded, "volatile_headers": ("location",)}
    assert _match("", b"", headers=(("location", "2027-02-02"),), **rules) == []
    assert _match("", b"", headers=(("location", "soon"),), **rules) == ["header location"]
    assert _match("", b"", headers=(), **rules) == ["header location"]


@pytest.mark.parametrize(
    ("recorded", "answered", "matches"),
    [
        ("$TEXT", "anything\nat all", True),
        ("$TEXT", "", False),
        ("$TEXT", 5, False),
        ("at $BASE/x?a=b", "at http://127.0.0.1:8123/x?a=b", True),
        ("at $BASE/x?a=b", "at http://127.0.0.1:8123/x?a=c", False),
        ("($APPROOT/f.py)", "(/srv/app/f.py)", True),
        ("($APPROOT/f.py)", "(/srv/other/f.py)", False),
        ("$UNKNOWN", "x", False),
        ("a.c", "abc", False),
    ],
)
def test_placeholders(recorded: str, answered: Any, matches: bool) -> None:
    assert (_match({"a": recorded}, {"a": answered}) == []) is matches


def test_an_unknown_application_root_may_be_any_directory() -> None:
    place = Place(base_url="http://h")
    assert _match({"a": "($APPROOT/f.py)"}, {"a": "(/anywhere/f.py)"}, place=place) == []
    assert _match({"a": "($APPROOT/f.py)"}, {"a": "(f.py)"}, place=place) == ["/a"]


@pytest.mark.parametrize(
    ("recorded", "answered", "matches"),
    [
        ("2026-11-23T13:12:51.238164", "2027-01-01T00:00:00", True),
        ("2026-11-23T13:12:51", "2027-01-01T00:00:00Z", False),
        ("2026-11-23T13:12:51", "2027-01-01 00:00:00", False),
        ("2026-11-23", "2027-01-01T00:00:00", False),
        ("e8c6a247", "0af37547", True),
        ("e8c6a247", "E8C6A247", False),
        ("TRD-20261123-0101", "TRD-20270101-0101", True),
        ("TRD-20261123-0101", "MOM-20270101-0101", False),
        ("f at 0x7fd4fbe834c0>", "f at 0x7f00>", True),
        ("f at 0x7fd4fbe834c0>", "g at 0x7f00>", False),
        ("SPY", "QQQ", True),
        ("SPY", "", False),
        (1, 2, True),
        (1, 2.0, False),
        (1, None, False),
        (None, None, True),
        (True, 1, False),
        ([{"a": 1}], [{"a": 2}, {"a": 3}], True),
        ([{"a": 1}], [{"b": 2}], False),
        ([{"a": 1}], {}, False),
        ({"a": "2026-01-01"}, {"a": "x"}, False),
    ],
)
def test_volatile_values_are_held_to_type_and_format(recorded: Any, answered: Any, matches: bool) -> None:
    assert (_match({"v": recorded}, {"v": answered}, volatile=("/v",)) == []) is matches


def test_volatile_excuses_nothing_beside_it() -> None:
    assert _match({"v": 1, "w": 1}, {"v": 2, "w": 2}, volatile=("/v",)) == ["/w"]


def test_a_volatile_value_must_be_there() -> None:
    assert _match({"v": 1}, {}, volatile=("/v",)) == ["/v"]


def test_an_empty_answer_matches_an_empty_text() -> None:
    assert _match("", b"") == []
    assert _match(None, b"") == []


def test_broken_json_is_a_mismatch_and_not_a_crash() -> None:
    assert _match({"a": 1}, b'{"a":') == [""]


def _trades(*pairs: tuple[int, int]) -> dict[str, Any]:
    return {"trades": [{"id": number, "day": day} for number, day in pairs]}


@pytest.mark.parametrize("tie", [("day",), ("*",), ("/trades",)])
def test_order_is_open_among_equal_sort_keys(tie: tuple[str, ...]) -> None:
    recorded = _trades((1, 9), (2, 8), (3, 8), (4, 7))
    assert _match(recorded, _trades((1, 9), (3, 8), (2, 8), (4, 7)), tie=tie) == []


@pytest.mark.parametrize(
    "answered",
    [
        _trades((1, 9), (2, 8), (4, 7), (3, 8)),
        _trades((1, 9), (2, 8), (5, 8), (4, 7)),
        _trades((1, 9), (2, 8), (2, 8), (4, 7)),
        _trades((1, 9), (2, 8), (3, 8)),
    ],
)
def test_a_tie_excuses_no_wrong_order_nor_other_elements_within_the_page(answered: Any) -> None:
    assert _match(_trades((1, 9), (2, 8), (3, 8), (4, 7)), answered, tie=("day",)) != []


def test_a_page_may_cut_through_a_tie() -> None:
    recorded = _trades((1, 9), (2, 8), (3, 8))
    assert _match(recorded, _trades((1, 9), (5, 8), (2, 8)), tie=("day",)) == []
    assert _match(recorded, _trades((1, 9), (5, 7), (2, 8)), tie=("day",)) != []


def test_without_a_tie_the_order_counts() -> None:
    assert _match(_trades((1, 8), (2, 8)), _trades((2, 8), (1, 8))) != []


def test_volatile_members_are_volatile_wherever_the_tie_puts_the_element() -> None:
    recorded = {"trades": [{"id": 1, "day": 8, "at": "2026-01-01"}, {"id": 2, "day": 8, "at": "2026-01-02"}]}
    answered = {"trades": [{"id": 2, "day": 8, "at": "2027-01-01"}, {"id": 1, "day": 8, "at": "2027-01-02"}]}
    assert _match(recorded, answered, tie=("day",)) != []
    volatile = ("/trades/0/at", "/trades/1/at")
    assert _match(recorded, answered, tie=("day",), volatile=volatile) == []


def test_a_tie_on_a_bare_list() -> None:
    recorded = [{"id": 1, "k": None}, {"id": 2, "k": None}, {"id": 3, "k": 1}]
    assert _match(recorded, [recorded[1], recorded[0], recorded[2]], tie=("*",)) == []


def test_an_unknown_sort_key_is_the_finest_ordered_member() -> None:
    recorded = [{"id": n, "day": day, "currency": "AUD"} for n, day in ((1, 9), (2, 8), (3, 8))]
    assert _match(recorded, [recorded[0], recorded[2], recorded[1]], tie=("*",)) == []
    assert _match(recorded, [recorded[1], recorded[0], recorded[2]], tie=("*",)) != []


def test_the_request_may_name_the_sort_key() -> None:
    step = Step(
        n=1,
        name="x",
        method="GET",
        url="/t?sort_by=coarse&page=1",
        tie=("*",),
        recorded=RecordedResponse(
            status=200, headers=_JSON, body=[{"id": n, "fine": n // 2, "coarse": 1} for n in range(4)]
        ),
    )
    body = json.dumps([{"id": n, "fine": n // 2, "coarse": 1} for n in (3, 0, 2, 1)]).encode()
    assert match_answer(step, Response(status=200, headers=_JSON, body=body), _PLACE) == ()
