"""HAR files of the browsers' dialects become sessions, without what must not travel."""

import base64
import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.har import MAX_STEPS
from harness.adapters.session_files import load_sessions, open_sessions
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
        ({"postData": {"mimeType": "application/json", "text": "", "_file": "a1.json"}}, "another file"),
        ({"postData": {"mimeType": "application/json", "params": [], "_sha1": "a1.json"}}, "another file"),
        ({"bodySize": 7}, "a body of 7 bytes, which was not saved"),
        ({"method": ""}, "method"),
    ],
)
def test_a_request_that_a_step_cannot_carry_is_skipped_and_told(
    tmp_path: Path, more: dict[str, Any], reason: str
) -> None:
    notes: list[str] = []
    (session,) = _load(tmp_path, _entry(f"{_BASE}/x"), _entry(f"{_BASE}/y", **{"method": "POST", **more}), notes=notes)
    assert [step.url for step in session.steps] == ["/x"]
    assert "skipped entry 2" in notes[0]
    assert reason in notes[0]


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ({"entries": []}, "no entries"),
        ({}, "not a HAR"),
        ({"entries": {}}, "was expected"),
        ({"entries": [{"startedDateTime": "2026-01-31T09:00:00Z", "request": {"method": "GET"}}]}, "url"),
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


def test_what_the_system_never_answered_is_skipped_by_kind(tmp_path: Path) -> None:
    """Chrome's aborted and blocked requests, its WebSockets under http, Firefox's blocked one without a reason."""
    notes: list[str] = []
    aborted = _entry(f"{_BASE}/a") | {"response": {"status": 0, "_error": "net::ERR_ABORTED"}}
    blocked = _entry(f"{_BASE}/b") | {"response": {"status": 0, "headers": []}}
    hung_up = _entry(f"{_BASE}/c") | {"response": {"status": 0, "_error": "net::ERR_EMPTY_RESPONSE"}}
    socket = _entry(f"{_BASE}/d") | {"_resourceType": "websocket", "_webSocketMessages": [{"type": "send"}]}
    switched = _entry(f"{_BASE}/e") | {"response": {"status": 101}}
    (session,) = _load(tmp_path, aborted, blocked, hung_up, socket, switched, notes=notes)
    assert [step.url for step in session.steps] == ["/c"], "a server that hangs up has been asked"
    path = tmp_path / "visit.har"
    assert notes == [
        f"{path}: skipped 2 WebSocket connections",
        f"{path}: skipped 2 requests that were aborted or blocked and have no answer",
    ]


def test_what_a_dialect_leaves_out_or_writes_as_null_counts_as_absent(tmp_path: Path) -> None:
    first = _entry(f"{_BASE}/a", "2026-01-31T09:00:00.1234567+11:00")
    bare: dict[str, Any] = {"request": {"method": "GET", "url": f"{_BASE}/b"}, "startedDateTime": None}
    nulls = _entry(f"{_BASE}/c", "2026-01-31T09:00:01+11:00", method="POST", postData=None)
    nulls["request"]["headers"] = [{"name": "accept", "value": None}]
    nulls |= {"pageref": None, "response": None}
    (session,) = _load(tmp_path, first, bare, nulls)
    assert [(step.url, step.headers, step.body) for step in session.steps] == [
        ("/a", (), None),
        ("/b", (), None),
        ("/c", (("accept", ""),), None),
    ], "an entry without a time follows the one before it"


@pytest.mark.parametrize("url", ["http://app.example.test:443", "https://app.example.test/"])
def test_a_proxys_tunnel_is_no_request_and_says_nothing_of_the_origin(tmp_path: Path, url: str) -> None:
    notes: list[str] = []
    tunnel = _entry(url, "2026-01-31T08:00:00.0000000Z", method="CONNECT")
    (session,) = _load(tmp_path, tunnel, _entry(f"{_BASE}/a"), notes=notes)
    assert [(step.method, step.url) for step in session.steps] == [("GET", "/a")]
    assert notes == [f"{tmp_path / 'visit.har'}: skipped 1 CONNECT requests of a proxy"]


def test_numbers_where_the_format_has_strings_are_taken(tmp_path: Path) -> None:
    form = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "page", "value": 2}]}
    post = _entry(f"{_BASE}/a", method="POST", headers={"x-count": 1, "x-flag": True}, postData=form)
    aborted = _entry(f"{_BASE}/b") | {"response": {"status": "0"}}
    (session,) = _load(tmp_path, post | {"response": {"status": 200.0}}, aborted)
    (step,) = session.steps
    assert step.body == "page=2"
    assert step.headers[:2] == (("x-count", "1"), ("x-flag", "true"))


def test_half_a_surrogate_pair_in_an_answer_spoils_nothing(tmp_path: Path) -> None:
    entry = _entry(f"{_BASE}/a") | {"response": {"status": 200, "content": {"text": "\ud83d"}}}
    assert [step.url for step in _load(tmp_path, entry)[0].steps] == ["/a"]


def test_a_long_page_is_continued_in_further_sessions_and_this_is_told(tmp_path: Path) -> None:
    notes: list[str] = []
    entries = [_entry(f"{_BASE}/{n}", f"2026-01-31T09:{n // 60:02}:{n % 60:02}Z") for n in range(MAX_STEPS + 1)]
    first, second = _load(tmp_path, *reversed(entries), notes=notes)
    assert (first.id, second.id) == ("visit", "visit#2")
    assert [step.url for step in (*first.steps, *second.steps)] == [f"/{n}" for n in range(MAX_STEPS + 1)]
    assert [step.n for step in second.steps] == [1]
    assert notes == [f"visit has {MAX_STEPS + 1} requests: replayed as 2 sessions, each from the start state"]


def test_a_compressed_har_is_read_like_a_plain_one(tmp_path: Path) -> None:
    plain = _load(tmp_path, _entry(f"{_BASE}/b", "2026-01-31T09:00:01Z"), _entry(f"{_BASE}/a"))
    packed = tmp_path / "visit.har.gz"
    packed.write_bytes(gzip.compress((tmp_path / "visit.har").read_bytes()))
    assert [session.steps for session in load_sessions([str(packed)])] == [session.steps for session in plain]
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ConfigurationError, match="cannot read"):
        load_sessions([str(packed)])


def test_many_requests_that_cannot_be_sent_are_told_in_few_lines(tmp_path: Path) -> None:
    notes: list[str] = []
    binary = {"postData": {"mimeType": "x/y", "text": "/w==", "encoding": "base64"}}
    _load(tmp_path, _entry(f"{_BASE}/x"), *(_entry(f"{_BASE}/y", **binary) for _ in range(9)), notes=notes)
    assert len(notes) == 6
    assert notes[-1].endswith("skipped 4 more for such reasons")


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_har_that_was_cut_off_says_where(tmp_path: Path, cut: int) -> None:
    _load(tmp_path, _entry(f"{_BASE}/a"), _entry(f"{_BASE}/b"))
    path = tmp_path / "visit.har"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ConfigurationError, match=r"not a HAR file: .* at byte [\d,]+, after [012] entries") as raised:
        load_sessions([str(path)])
    assert raised.value.hint


def test_a_file_beyond_memory_that_is_no_har_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "capture.har"
    with path.open("wb") as file:
        file.write(b'{"format_version": 1, "sessions": []')
        file.truncate(2 * 1024**3)  # sparse: it takes no room
    tracemalloc.start()
    try:
        with pytest.raises(ConfigurationError, match="larger than"):
            load_sessions([str(path)])
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_sessions_are_read_when_it_is_their_turn(tmp_path: Path) -> None:
    entries = (_entry(f"{_BASE}/{n}", page=f"p{n // 10}", headers={"x": "y" * 5_000}) for n in range(1_000))
    _load(tmp_path, *entries)
    tracemalloc.start()
    try:
        sessions = open_sessions([str(tmp_path / "visit.har")])
        assert len(sessions) == 100
        assert sum(len(session.steps) for session in sessions) == 1_000
        assert tracemalloc.get_traced_memory()[1] < 4_500_000, "less than the file's 5 MB"
    finally:
        tracemalloc.stop()
    assert [session.id for session in sessions] == [session.id for session in sessions], "as often as is wanted"
