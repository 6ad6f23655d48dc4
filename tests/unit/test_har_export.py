"""A run written as HAR reads back as the sessions that were replayed."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from harness.adapters.har_export import write_har
from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.domain.record import SessionRecord
from tests.builders.stored_records import exchange, session_record, step


def _record(name: str, *requests: Request) -> SessionRecord:
    steps = []
    for number, request in enumerate(requests, start=1):
        pair = structs.replace(step(number).pair, legacy=exchange(Side.LEGACY, request=request))
        steps.append(structs.replace(step(number), pair=pair))
    return SessionRecord(
        session_id=name,
        group="g",
        origin=session_record().origin,
        legacy_schemas={},
        target_schemas={},
        steps=tuple(steps),
    )


def test_what_is_written_is_read_back_as_the_same_requests(tmp_path: Path) -> None:
    headers = (("content-type", "application/json"), ("X-Twice", "1"), ("X-Twice", "2"))
    requests = (
        Request(method="POST", url="/things/?a=1&a=%20", headers=headers, body='{"name":"é"}'.encode()),
        Request(method="GET", url="/things/?"),
    )
    out = tmp_path / "run.har"
    assert write_har([_record("one", *requests), _record("two", requests[1])], out, Side.LEGACY, version="1") == 3
    first, second = load_sessions([str(out)])
    assert [(s.method, s.url, s.headers, s.body) for s in first.steps] == [
        ("POST", "/things/?a=1&a=%20", headers, '{"name":"é"}'),
        ("GET", "/things/?", (), None),
    ]
    assert [s.url for s in second.steps] == ["/things/?"]


def test_what_is_hard_to_write_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "run.har"
    for side in Side:
        write_har([session_record()], out, side, version="1")
        log = json.loads(out.read_text())["log"]
        assert [page["id"] for page in log["pages"]] == ["s1"]
        first = log["entries"][0]
        if side is Side.LEGACY:
            assert first["response"]["content"]["encoding"] == "base64"
        else:
            assert (first["response"]["status"], first["_error"]) == (0, "connection reset")


def test_a_place_that_cannot_be_written_to_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_har([session_record()], tmp_path / "absent" / "run.har", Side.LEGACY, version="1")
    (tmp_path / "run.har").mkdir()
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_har([session_record()], tmp_path / "run.har", Side.LEGACY, version="1")
    assert [path.name for path in tmp_path.iterdir()] == ["run.har"]
