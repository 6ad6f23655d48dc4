"""Session files are read whole and strictly."""

import gzip
import json
from pathlib import Path

import pytest

from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.session import Session


def _line(**fields: object) -> dict[str, object]:
    return {"n": 1, "name": "x", "request": {"method": "GET", "url": "/api/trades/"}} | fields


def _write(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def _load(path: Path, *lines: dict[str, object]) -> tuple[Session, ...]:
    return load_sessions([str(_write(path / "rec.jsonl", *lines))])


def test_a_session_starts_where_the_session_field_changes(tmp_path: Path) -> None:
    sessions = _load(tmp_path, _line(), _line(session="a"), _line(session="a"), _line(session="b"), _line(session="a"))
    assert [(s.id, len(s.steps)) for s in sessions] == [("rec", 1), ("a", 2), ("b", 1), ("a#2", 1)]


def test_every_field_of_the_recording_is_kept(tmp_path: Path) -> None:
    step = _load(
        tmp_path,
        _line(
            request={
                "method": "POST",
                "url": "/x",
                "json": {"a": "é", "b": [1, 2.0]},
                "auth": "valid",
                "headers": {"A": "b"},
            },
            save={"id": "/id"},
            volatile=["/t"],
            volatile_headers=["Location"],
            tie=["entry_date"],
            reused=["id"],
            poll={"pointer": "/status", "while": ["running", "idle"]},
            sleep=1,
            network="none",
            response={"status": 201, "headers": {"allow": "GET"}, "body": {"id": 1}},
        ),
    )[0].steps[0]
    assert step.body == '{"a":"é","b":[1,2.0]}'
    assert step.headers == (("A", "b"), ("content-type", "application/json"))
    assert (step.auth, step.save, step.volatile) == ("valid", (("id", "/id"),), ("/t",))
    assert (step.volatile_headers, step.tie, step.reused) == (("location",), ("entry_date",), ("id",))
    assert step.poll is not None
    assert step.poll.while_values == ("running", "idle")
    assert (step.sleep_s, step.network) == (1.0, "none")
    assert step.recorded is not None
    assert (step.recorded.status, step.recorded.headers, step.recorded.body) == (201, (("allow", "GET"),), {"id": 1})


@pytest.mark.parametrize(("tie", "names"), [(True, ("*",)), ("pnl", ("pnl",)), (["a", "b"], ("a", "b")), (False, ())])
def test_tie_is_true_a_name_or_names(tmp_path: Path, tie: object, names: tuple[str, ...]) -> None:
    assert _load(tmp_path, _line(tie=tie))[0].steps[0].tie == names


def test_a_raw_body_keeps_its_own_content_type(tmp_path: Path) -> None:
    request = {"method": "POST", "url": "/", "raw": "{bad"}
    typed = request | {"headers": {"Content-Type": "text/plain"}}
    first, second = _load(tmp_path, _line(request=request), _line(request=typed))[0].steps
    assert (first.body, first.headers) == ("{bad", (("content-type", "application/json"),))
    assert second.headers == (("Content-Type", "text/plain"),)


def test_json_null_is_sent_and_absent_json_is_not(tmp_path: Path) -> None:
    request = {"method": "POST", "url": "/"}
    first, second = _load(tmp_path, _line(request=request | {"json": None}), _line(request=request))[0].steps
    assert (first.body, second.body) == ("null", None)


def test_a_withheld_answer_and_a_broken_connection(tmp_path: Path) -> None:
    withheld, broken = _load(tmp_path, _line(response=None), _line(response={"transport_error": "connection reset"}))[
        0
    ].steps
    assert withheld.recorded is None
    assert broken.recorded is not None
    assert broken.recorded.transport_error == "connection reset"


def test_groups_come_from_the_path(tmp_path: Path) -> None:
    mixed = _load(tmp_path, _line(), _line(request={"method": "GET", "url": "/health"}))[0]
    assert mixed.group == "mixed"
    assert _load(tmp_path, _line(), _line())[0].group == "trades"
    assert _load(tmp_path, _line(request={"method": "GET", "url": "/api?x=/api/a/b"}))[0].group == "root"


def test_our_own_format_and_gzip(tmp_path: Path) -> None:
    document = {
        "format_version": 1,
        "id": "s1",
        "group": "trades",
        "tags": ["memory"],
        "steps": [{"request": {"method": "GET", "url": "/a"}, "name": "first"}],
    }
    path = tmp_path / "s1.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document, indent=1).encode()))
    (session,) = load_sessions([str(tmp_path / "*.gz")])
    assert (session.id, session.group, session.tags, session.source) == ("s1", "trades", ("memory",), str(path))
    assert (session.steps[0].n, session.steps[0].name) == (1, "first")


def test_a_single_line_recording_is_still_a_recording(tmp_path: Path) -> None:
    assert _load(tmp_path, _line())[0].id == "rec"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (_line(colour="red"), "colour"),
        (_line(poll={"while": "x"}), "pointer"),
        (_line(request={"method": "GET", "url": "http://h/"}), "not a path"),
        (_line(request={"method": "GET", "url": "/", "auth": "root"}), "auth kind"),
        (_line(request={"method": "GET", "url": "/", "json": 1, "raw": "1"}), "both json and raw"),
        (_line(request={"method": "GET", "url": "/{{gone}}"}), "no earlier step saves"),
        (_line(volatile=["a"]), "starts with"),
        (_line(sleep=-1), "negative"),
    ],
)
def test_bad_steps_name_file_line_and_problem(tmp_path: Path, line: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        _load(tmp_path, _line(), line)
    assert "rec.jsonl" in caught.value.where
    assert caught.value.hint


def test_bad_json_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(_line()) + "\n{bad\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not JSON") as caught:
        load_sessions([str(path)])
    assert caught.value.where.endswith("line 2")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"\x1f\x8bnot gzip", b"[]", b'{"format_version": 9}', b'{"log": {}}']
)
def test_unreadable_files_are_configuration_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        load_sessions([str(path)])


def test_a_file_too_large_is_refused_whatever_it_is_packed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.adapters.session_files._MAX_TEXT_BYTES", 100_000)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b'{"a": "' + b"a" * 1_000_000))
    assert path.stat().st_size < 2_000
    with pytest.raises(ConfigurationError, match="larger than 100,000 bytes"):
        load_sessions([str(path)])


def test_of_a_large_file_in_no_known_format_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf no session\n" * 10_000)
        file.truncate(1 << 40)
    with pytest.raises(ConfigurationError, match="in no known format"):
        load_sessions([str(path)])


def test_a_glob_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no session file matches"):
        load_sessions([str(tmp_path / "*.json")])


def test_two_sessions_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    paths = [str(_write(tmp_path / name / "rec.jsonl", _line())) for name in ("a", "b")]
    with pytest.raises(ConfigurationError, match="two sessions"):
        load_sessions(paths)
    assert len(load_sessions([paths[0], paths[0]])) == 1
