"""Elements are told apart wherever a chunk ends, and what is no JSON, or is cut off, is found out."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.adapters import json_elements
from harness.adapters.json_elements import BrokenJson, array_elements, has_member

_PATH = ("log", "entries")
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
_AWKWARD = ['a"b', "\\", '\\"', "{[", "]}", "é\u2028", '"entries": [1]', ""]


class _Slow(io.BytesIO):
    """Gives at most a few bytes at a time, so that every token is cut somewhere."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._most)


def _read(data: bytes, most: int = 1 << 20) -> list[Any]:
    found = list(array_elements(_Slow(data, most), _PATH))
    assert all(data[offset : offset + len(raw)] == raw for offset, raw in found), "offsets are those of the file"
    return [json.loads(raw) for _, raw in found]


@settings(max_examples=60)
@given(
    elements=st.lists(_VALUES, max_size=4),
    before=_VALUES,
    after=_VALUES,
    indent=st.sampled_from([None, 2]),
    most=st.integers(1, 9),
)
def test_every_element_is_found_wherever_a_chunk_ends(
    elements: list[Any], before: Any, after: Any, indent: int | None, most: int
) -> None:
    document = {"x": before, "log": {"pages": before, "entries": elements, "_more": after}, "y": after}
    assert _read(json.dumps(document, indent=indent).encode(), most) == elements
    assert _read(json.dumps(document, indent=indent, ensure_ascii=False).encode("utf-8-sig"), most) == elements


@pytest.mark.parametrize("most", [1, 2, 3, 1000])
def test_quotes_and_brackets_in_strings_mean_nothing(most: int) -> None:
    elements = [{text: [text, {"k": text}]} for text in _AWKWARD]
    assert _read(json.dumps({"log": {"entries": elements}}).encode(), most) == elements


def test_a_document_that_is_cut_off_anywhere_is_found_out() -> None:
    data = json.dumps({"log": {"entries": [{"a": 'x"'}, {"b": [1.5, True]}], "pages": []}, "y": 1}).encode()
    assert len(_read(data)) == 2
    for end in range(len(data)):
        with pytest.raises(BrokenJson, match=r"ends too early|was expected|there is no"):
            _read(data[:end], 7)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"log": []}', '{"log": {"entries": {}}}', '{"log": {}}', '{"log": {"entries": [1 2]}}',
     '{"log": {"entries": [,]}}', '{"log": {"entries": []}} x', '{log: {}}', '{"log" {"entries": []}}'],
)  # fmt: skip
def test_what_has_no_such_array_is_broken(text: str) -> None:
    with pytest.raises(BrokenJson, match="at byte"):
        _read(text.encode(), 3)


class _Reserved(io.BytesIO):
    """Data, and behind it as many zeros as are asked for; counts the bytes that were read."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = size or 0
        data = super().read(wanted)
        self.read_bytes += wanted
        return data + b"\0" * (wanted - len(data))


@pytest.mark.parametrize(
    "written",
    ["", '{"log": {"version": "', '{"log": {"entries": [', '{"log": {"entries": [{"a": "b', '{"log": {"entries": []}}'],
)
def test_a_file_that_was_reserved_and_not_written_is_refused_at_its_first_zero(written: str) -> None:
    file = _Reserved(written.encode())
    with pytest.raises(BrokenJson, match="a NUL byte") as raised:
        list(array_elements(file, _PATH))
    assert raised.value.offset == len(written)
    assert file.read_bytes <= 2 * json_elements._CHUNK_BYTES


def test_an_element_beyond_the_limit_is_refused_before_it_is_held() -> None:
    data = b'{"log": {"entries": ["' + b"x" * 5_000 + b'"]}}'
    with pytest.raises(BrokenJson, match="larger than 1,000 bytes"):
        list(array_elements(_Slow(data, 100), _PATH, max_bytes=1_000))


def test_what_is_skipped_is_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_elements, "_CHUNK_BYTES", 256)
    skipped = json.dumps([{"n": n} for n in range(5_000)]).encode()
    data = b'{"log": {"pages": ' + skipped + b', "entries": [1]}}'
    assert [raw for _, raw in array_elements(io.BytesIO(data), _PATH, max_bytes=1_000)] == [b"1"]


def test_a_member_is_seen_without_reading_on() -> None:
    assert has_member(io.BytesIO(b'{"log": {"entries": [tru'), "log")
    assert has_member(io.BytesIO(b'{"version": {"log": 1}, "log": 2'), "log")
    assert not has_member(io.BytesIO(b'{"version": {"log": 1}}\n{"log": 2}'), "log")
    assert not has_member(io.BytesIO(b"GET /log HTTP/1.1"), "log")
