"""The RFC 6902 export: applied to the legacy's document it gives the target's. Vectors after RFC 6902, Appendix A."""

import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.compare.document import Document, fingerprint, parse_json
from harness.domain.compare.patch import UnpatchableError, export_patch, patch_text

# (RFC 6902 appendix, the document before, the document after, the operations that are due; None: any that work)
VECTORS: tuple[tuple[str, str, str, str | None], ...] = (
    ("A.1 add a member", '{"foo":"bar"}', '{"baz":"qux","foo":"bar"}', '[{"op":"add","path":"/baz","value":"qux"}]'),
    (
        "A.2 add an element",
        '{"foo":["bar","baz"]}',
        '{"foo":["bar","qux","baz"]}',
        '[{"op":"add","path":"/foo/1","value":"qux"}]',
    ),
    ("A.3 remove a member", '{"baz":"qux","foo":"bar"}', '{"foo":"bar"}', '[{"op":"remove","path":"/baz"}]'),
    (
        "A.4 remove an element",
        '{"foo":["bar","qux","baz"]}',
        '{"foo":["bar","baz"]}',
        '[{"op":"remove","path":"/foo/1"}]',
    ),
    (
        "A.5 replace a value",
        '{"baz":"qux","foo":"bar"}',
        '{"baz":"boo","foo":"bar"}',
        '[{"op":"replace","path":"/baz","value":"boo"}]',
    ),
    (
        "A.6 move a value",
        '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
        '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
        None,
    ),
    ("A.7 move an element", '{"foo":["all","grass","cows","eat"]}', '{"foo":["all","cows","eat","grass"]}', None),
    (
        "A.10 add a nested object",
        '{"foo":"bar"}',
        '{"foo":"bar","child":{"grandchild":{}}}',
        '[{"op":"add","path":"/child","value":{"grandchild":{}}}]',
    ),
    (
        "A.14 escape tildes and slashes",
        '{"/":9,"~1":10}',
        '{"/":9,"~1":11}',
        '[{"op":"replace","path":"/~01","value":11}]',
    ),
    (
        "A.16 add an array value",
        '{"foo":["bar"]}',
        '{"foo":["bar",["abc","def"]]}',
        '[{"op":"add","path":"/foo/1","value":["abc","def"]}]',
    ),
    ("the whole document", '{"a":1}', "[1]", '[{"op":"replace","path":"","value":[1]}]'),
    ("an empty name", '{"":1}', '{"":2}', '[{"op":"replace","path":"/","value":2}]'),
    ("null is not absent", '{"a":null}', "{}", '[{"op":"remove","path":"/a"}]'),
    ("a text is not its number", '{"a":"10"}', '{"a":10}', '[{"op":"replace","path":"/a","value":10}]'),
    ("10 is not 10.0", "[10]", "[10.0]", '[{"op":"replace","path":"/0","value":10.0}]'),
    ("true is not 1", "[true]", "[1]", '[{"op":"replace","path":"/0","value":1}]'),
    ("the last digit stays", "[1.10]", "[1.1]", '[{"op":"replace","path":"/0","value":1.1}]'),
    ("a big integer", "[1]", "[123456789012345678901234567890]", None),
    ("nothing", '{"b":1,"a":[1,{"c":null}]}', '{"a":[1,{"c":null}],"b":1}', "[]"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
)


def document(text: str) -> Document:
    parsed = parse_json(text.encode())
    assert parsed is not None, text
    return parsed


def patched(legacy: str, target: str) -> Any:
    operations = json.loads(patch_text(export_patch(document(legacy), document(target))))
    return jsonpatch.apply_patch(json.loads(legacy), operations)


@pytest.mark.parametrize(("legacy", "target", "due"), [v[1:] for v in VECTORS], ids=[v[0] for v in VECTORS])
def test_vectors_of_the_rfc(legacy: str, target: str, due: str | None) -> None:
    text = patch_text(export_patch(document(legacy), document(target)))
    assert fingerprint(patched(legacy, target)) == fingerprint(json.loads(target))
    if due is not None:
        assert text.replace("\n ", "") == due


@given(VALUES, VALUES)
def test_applied_to_the_legacys_it_gives_the_targets(legacy: Any, target: Any) -> None:
    # Floats are printed with an exponent or a point, so that both parsers keep them apart from integers.
    after = patched(json.dumps(legacy), json.dumps(target))
    assert fingerprint(after) == fingerprint(target)


@given(VALUES, VALUES)
def test_it_is_empty_exactly_where_the_documents_are_equal(legacy: Any, target: Any) -> None:
    first, second = document(json.dumps(legacy)), document(json.dumps(target))
    assert (export_patch(first, second) == ()) == (fingerprint(first.value) == fingerprint(second.value))
    assert export_patch(first, document(json.dumps(legacy, indent=1))) == ()


def test_a_long_list_is_patched_without_aligning_it() -> None:
    legacy, target = [f"a{n}" for n in range(2_100)], [f"b{n}" for n in range(2_000)]
    assert patched(json.dumps(legacy), json.dumps(target)) == target


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"x":{"a":1,"a":1}}', "[NaN]", '{"a":-Infinity}'])
def test_what_no_patch_can_say_is_refused(text: str) -> None:
    with pytest.raises(UnpatchableError, match=r"twice|NaN"):
        export_patch(document("{}"), document(text))
    with pytest.raises(UnpatchableError):
        export_patch(document(text), document(text))


def test_a_lone_surrogate_beside_a_long_number_keeps_both() -> None:
    text = patch_text(export_patch(document("{}"), document('{"a":"\\ud800","b":1.10}')))
    assert '"\\ud800"' in text and "1.10" in text
