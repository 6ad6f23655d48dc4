"""Structural comparison: what differs, where, and how."""

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.compare.document import fingerprint, parse_json
from harness.domain.compare.pointer import ABSENT, to_pointer
from harness.domain.compare.structure import Finding, ListRules, compare_values
from harness.domain.difference import DifferenceKind

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abid~/"), inner, max_size=4),
    max_leaves=12,
)


def _compare(legacy: bytes, target: bytes, tie: tuple[str, ...] = ()) -> list[Finding]:
    mine, theirs = parse_json(legacy), parse_json(target)
    assert mine is not None and theirs is not None
    return compare_values(mine.value, theirs.value, ListRules(tie=tie))


def _short(legacy: str, target: str) -> list[tuple[str, str]]:
    return [(to_pointer(f.path), f.kind.value) for f in _compare(legacy.encode(), target.encode())]


@pytest.mark.parametrize(
    ("legacy", "target", "expected"),
    [
        ('{"a":10}', '{"a":10.0}', [("/a", "representation")]),
        ("[2]", "[2.0]", [("/0", "representation")]),
        ("[true]", "[1]", [("/0", "type")]),
        ("[1e2]", "[100]", [("/0", "representation")]),
        ("[1e2]", "[1E+2]", []),
        ("[1e-07]", "[1e-7]", []),
        ("[1.10]", "[1.1]", [("/0", "representation")]),
        ("[-0.0]", "[0.0]", [("/0", "representation")]),
        ("[-0]", "[0]", [("/0", "representation")]),
        ("[12345678901234567890123]", "[12345678901234567890124]", [("/0", "value")]),
        ("[9007199254740993]", "[9007199254740992]", [("/0", "value")]),
        ("[0.1]", "[0.1000000000000000055]", [("/0", "value")]),
        ("[1e400]", "[1e401]", [("/0", "value")]),
        ("[NaN]", "[null]", [("/0", "type")]),
        ("[NaN]", "[NaN]", []),
        ("[Infinity]", "[-Infinity]", [("/0", "value")]),
        ('["\\u00e9"]', '["é"]', []),
        ('["caf\u00e9"]', '["cafe\u0301"]', [("/0", "value")]),
        ('["\\ud800"]', '["\\udbff"]', [("/0", "value")]),
        ('{"a":null}', "{}", [("/a", "missing")]),
        ("{}", '{"a":null}', [("/a", "extra")]),
        ('{"a":null}', '{"a":""}', [("/a", "type")]),
        ('{"a":[]}', '{"a":null}', [("/a", "type")]),
        ('{"a/b":{"~":1}}', '{"a/b":{"~":2}}', [("/a~1b/~0", "value")]),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', []),
        ("[1,2,3]", "[1,9,2,3]", [("/1", "extra")]),
        ("[1,2,3]", "[2,3]", [("/0", "missing")]),
        ("[1,2,3]", "[3,1,2]", [("", "order")]),
        ("[1,1,2]", "[1,2,2]", [("/1", "value")]),
        ('[{"id":1,"a":1},{"id":2,"a":2}]', '[{"id":2,"a":2},{"id":1,"a":3}]', [("/0/a", "value"), ("", "order")]),
        ('[{"id":1},{"id":2},{"id":3}]', '[{"id":1},{"id":3}]', [("/1", "missing")]),
        ('[{"id":1,"a":5,"b":6},{"id":2}]', '[{"id":"1","a":5,"b":6},{"id":2}]', [("/0/id", "type")]),
    ],
)  # fmt: skip
def test_difference_is_named_by_pointer_and_kind(legacy: str, target: str, expected: list[tuple[str, str]]) -> None:
    assert _short(legacy, target) == expected


def test_one_inserted_object_without_keys_is_one_difference() -> None:
    legacy = [{"x": n, "y": n * n} for n in range(500)]
    target = [*legacy[:250], {"x": -1, "y": 0}, *legacy[250:]]
    found = compare_values(legacy, target)
    assert [(f.path, f.kind) for f in found] == [((250,), DifferenceKind.EXTRA)]


def test_insertion_beside_a_change_meets_the_right_elements() -> None:
    legacy = [{"x": n, "y": 1, "z": 2} for n in range(5)]
    target = [{"x": 0, "y": 1, "z": 2}, {"q": 0}, {"x": 1, "y": 9, "z": 2}, *legacy[2:]]
    found = compare_values(legacy, target)
    assert {(to_pointer(f.path), f.kind.value) for f in found} == {("/1/y", "value"), ("/1", "extra")}


def test_order_is_open_only_among_ties() -> None:
    first, second = {"id": 1, "day": "a"}, {"id": 2, "day": "a"}
    other = {"id": 3, "day": "b"}
    tied = compare_values([first, second, other], [second, first, other], ListRules(tie=("day",)))
    crossed = compare_values([first, second, other], [first, other, second], ListRules(tie=("day",)))
    assert [f.open for f in tied] == ["order"]
    assert [f.open for f in crossed] == [""]


def test_repeated_members_are_kept() -> None:
    document = parse_json(b'{"a":1,"a":2,"b":{"c":1,"c":1}}')
    assert document is not None
    assert dict(document.duplicates) == {"/a": (1, 2), "/b/c": (1, 1)}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a":}', b"[1,]", b"\xff\xfe\x00", b"'a'", b"[" * 5000 + b"]" * 5000, b"01"]
)
def test_what_is_not_json_is_none(raw: bytes) -> None:
    assert parse_json(raw) is None


@given(st.binary(max_size=60))
def test_parser_never_crashes(raw: bytes) -> None:
    parse_json(raw)


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\uabd', max_size=40))
def test_parser_agrees_with_orjson_where_both_read(text: str) -> None:
    document = parse_json(text.encode())
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return
    assert document is not None


@given(JSON_VALUES)
def test_compare_is_reflexive(value: Any) -> None:
    raw = _dump(value)
    assert _compare(raw, raw) == []


@given(JSON_VALUES, JSON_VALUES)
def test_compare_is_empty_exactly_for_the_same_json(one: Any, two: Any) -> None:
    mine, theirs = parse_json(_dump(one)), parse_json(_dump(two))
    assert mine is not None and theirs is not None
    is_same = fingerprint(mine.value) == fingerprint(theirs.value)
    assert (compare_values(mine.value, theirs.value) == []) == is_same


@given(JSON_VALUES, JSON_VALUES)
def test_compare_is_symmetric_up_to_sides(one: Any, two: Any) -> None:
    swapped = {DifferenceKind.MISSING: DifferenceKind.EXTRA, DifferenceKind.EXTRA: DifferenceKind.MISSING}
    there = {f.kind for f in _compare(_dump(one), _dump(two))}
    back = {swapped.get(f.kind, f.kind) for f in _compare(_dump(two), _dump(one))}
    assert there == back


@given(JSON_VALUES, JSON_VALUES)
def test_every_finding_points_at_its_values(one: Any, two: Any) -> None:
    mine, theirs = parse_json(_dump(one)), parse_json(_dump(two))
    assert mine is not None and theirs is not None
    for found in compare_values(mine.value, theirs.value):
        if found.kind is not DifferenceKind.ORDER:
            for document, path, value in (
                (mine.value, found.legacy_path, found.legacy),
                (theirs.value, found.target_path, found.target),
            ):
                if value is not ABSENT:
                    assert fingerprint(_at(document, path)) == fingerprint(value)


@given(JSON_VALUES)
def test_comparing_leaves_documents_alone(value: Any) -> None:
    document = parse_json(_dump(value))
    assert document is not None
    before = copy.deepcopy(document.value)
    compare_values({"a": [document.value]}, {"a": [document.value, 1]})
    assert fingerprint(document.value) == fingerprint(before)


def _at(document: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(("plain", "exponent"), [(b"1", b"1e0"), (b"-5", b"-5E0"), (b"0", b"0e1"), (b"100", b"1e2")])
def test_an_exponent_makes_a_number_another_one(plain: bytes, exponent: bytes) -> None:
    # Most parsers read the one as an integer and the other as a float.
    one, two = parse_json(plain), parse_json(exponent)
    assert one is not None and two is not None
    assert [found.kind for found in compare_values(one.value, two.value)] == [DifferenceKind.REPRESENTATION]
    assert not compare_values(two.value, two.value)
