"""HAR files of the browsers' dialects become sessions, without what must not travel."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.record import Origin
from harness.domain.session import Session
from harness.engine.replay import _origin

_BASE = "https://app.example.test"


def _entry(url: str, at: str = "2026-01-31T09:00:00.000Z", *, method: str = "GET", **more: Any) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in more.pop("headers", {}).items()]
    page = {"pageref": more.pop("page")} if "page" in more else {}
    request = {"method": method, "url": url, "httpVersion": "HTTP/1.1", "headers": headers, **more}
    return {"startedDateTime": at, "time": 3.5, "request": request, "response": {"status": 200}, **page}


def _load(directory: Path, *entries: dict[str, Any], notes: list[str] | None = None, bom: bool = False) -> Any:
    path = directory / "visit.har"
    document = {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}
    path.write_text(json.dumps(document), encoding="utf-8-sig" if bom else "utf-8")
    return load_sessions([str(path)], [].append if notes is None else notes.append)


def _chrome(directory: Path) -> tuple[Session, ...]:
    """HTTP/2 pseudo-headers, lower-case names, `_initiator` and `_priority`, an extension's and a data URL."""
    more = {
        ":authority": "app.example.test", ":method": "POST", ":path": "/api/trades/", ":scheme": "https",
        "content-length": "11", "content-type": "application/json", "cookie": "session=s3cret",
        "authorization": "Bearer s3cret", "x-csrf-token": "s3cret", "sec-ch-ua": '"Chromium";v="140"',
    }  # fmt: skip
    post = _entry(
        f"{_BASE}/api/trades/?debug=", "2026-01-31T09:00:02.000Z", method="POST", headers=more, page="page_1",
        postData={"mimeType": "application/json", "text": '{"é":1}'},
    )  # fmt: skip
    post |= {"_initiator": {"type": "fetch"}, "_priority": "High", "_resourceType": "fetch"}
    return _load(
        directory,
        post,
        _entry(f"{_BASE}/api/trades/", "2026-01-31T09:00:01.000Z", page="page_1"),
        _entry("data:image/png;base64,AAAA", "2026-01-31T08:00:00.000Z", page="page_1"),
        _entry(f"{_BASE}/api/data/status", "2026-01-31T09:00:05.123Z", page="page_2"),
        _entry("chrome-extension://abc/x.js", page="page_2"),
    )


def test_chromes_pages_are_sessions_in_the_order_of_their_requests(tmp_path: Path) -> None:
    first, second = _chrome(tmp_path)
    assert [(s.id, s.group, len(s.steps)) for s in (first, second)] == [
        ("visit#page_1", "trades", 2),
        ("visit#page_2", "data", 1),
    ]
    assert [(step.n, step.method, step.url) for step in first.steps] == [
        (1, "GET", "/api/trades/"),
        (2, "POST", "/api/trades/?debug="),
    ]
    assert first.steps[1].body == '{"é":1}'


def test_credentials_and_what_belongs_to_the_connection_stay_behind(tmp_path: Path) -> None:
    kept = _chrome(tmp_path)[0].steps[1].headers
    assert kept == (("content-type", "application/json"), ("sec-ch-ua", '"Chromium";v="140"'))


def test_a_recorded_visit_counts_as_recorded_traffic(tmp_path: Path) -> None:
    assert {_origin(session) for session in _chrome(tmp_path)} == {Origin.RECORDED}


def test_firefox_writes_local_times_titles_and_parameters(tmp_path: Path) -> None:
    form = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "note", "value": "a b&c"}, {"name": "empty"}],
        "text": "",
    }
    (session,) = _load(
        tmp_path,
        _entry("http://127.0.0.1:8000/late", "2026-01-31T10:30:00.000+01:00", page="page_1"),
        _entry(
            "http://127.0.0.1:8000/form#top", "2026-01-31T20:00:00.000+11:00", method="POST", page="page_1",
            headers={"Host": "127.0.0.1:8000", "Connection": "keep-alive", "Accept": "*/*"}, postData=form,
        ),
    )  # fmt: skip
    assert [step.url for step in session.steps] == ["/form", "/late"], "09:00 UTC comes before 09:30 UTC"
    assert session.steps[0].body == "note=a+b%26c&empty="
    assert session.steps[0].headers == (("Accept", "*/*"), ("content-type", "application/x-www-form-urlencoded"))


def test_safari_writes_a_byte_order_mark_and_no_pages(tmp_path: Path) -> None:
    encoded = base64.b64encode(b'{"ticker": "CBA.AX"}').decode()
    post = {"mimeType": "application/json", "text": encoded, "encoding": "base64"}
    (session,) = _load(
        tmp_path,
        _entry(f"{_BASE}:443/api/trades?page=1", "2026-01-31T09:00:00Z"),
        _entry(_BASE, "2026-01-31T09:00:01.5Z"),
        _entry(f"{_BASE}?x", "2026-01-31T09:00:02Z", method="POST", postData=post),
        bom=True,
    )
    assert (session.id, session.group) == ("visit", "mixed")
    assert [step.url for step in session.steps] == ["/api/trades?page=1", "/", "/?x"], "the default port is the origin"
    assert session.steps[2].body == '{"ticker": "CBA.AX"}'


def test_requests_beyond_the_first_origin_are_skipped_and_counted(tmp_path: Path) -> None:
    notes: list[str] = []
    elsewhere = [
        "http://app.example.test/",
        f"{_BASE}:8443/",
        "https://cdn.test/a.js",
        "wss://app.example.test/",
        "http://[bad",
    ]
    later = [_entry(url, "2026-01-31T09:00:09Z") for url in elsewhere]
    (session,) = _load(tmp_path, *later, _entry(f"{_BASE}/x"), notes=notes)
    assert [step.url for step in session.steps] == ["/x"]
    assert notes == [f"{tmp_path / 'visit.har'}: skipped 5 of 6 requests, which go beyond {_BASE}:443"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"postData": {"mimeType": "x/y", "text": "/w==", "encoding": "base64"}}, "binary"),
        ({"postData": {"mimeType": "multipart/form-data; boundary=b", "params": [{"name": "f"}]}}, "parameters"),
        ({"postData": {"mimeType": "application/json", "text": '"{{name}}"'}}, "saved value"),
    ],
)
def test_a_request_that_a_step_cannot_carry_is_skipped_and_told(
    tmp_path: Path, more: dict[str, Any], reason: str
) -> None:
    notes: list[str] = []
    (session,) = _load(tmp_path, _entry(f"{_BASE}/x"), _entry(f"{_BASE}/y", method="POST", **more), notes=notes)
    assert [step.url for step in session.steps] == ["/x"]
    assert "skipped entry 2" in notes[0]
    assert reason in notes[0]


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ({"entries": []}, "no entries"),
        ({}, "not a HAR"),
        ({"entries": [{"request": {"method": "GET", "url": "/"}}]}, "startedDateTime"),
        ({"entries": [{"startedDateTime": "today", "request": {"method": "GET", "url": _BASE}}]}, "cannot be read"),
        ({"entries": [_entry("data:,x")]}, "no HTTP request"),
    ],
)
def test_what_is_no_usable_har_is_a_configuration_error(tmp_path: Path, log: dict[str, Any], what: str) -> None:
    path = tmp_path / "bad.har"
    path.write_text(json.dumps({"log": log}))
    with pytest.raises(ConfigurationError, match=what) as raised:
        load_sessions([str(path)])
    assert str(path) in raised.value.where
    assert raised.value.hint
