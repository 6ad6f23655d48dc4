"""Access logs become sessions of reads, one for each visit."""

import gzip
from pathlib import Path

import pytest

from harness.adapters.session_files import load_sessions
from harness.domain.errors import ConfigurationError
from harness.domain.session import Session

_COMMON = '{client} - frank [10/Oct/2026:{time} -0700] "{request}" 200 2326'
_BALANCER = (
    "https 2026-10-10T{time}.123456Z app/my-balancer/50dc6c495c0c9188 {client}:2817 10.0.0.1:80 0.086 0.048 0.037"
    ' 200 200 0 57 "{request}" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2'
    " arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/mine/73e2d6bc24d8a067"
    ' "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "-" 1 2026-10-10T22:22:48.364000Z "forward" "-" "-"'
)


def _common(request: str, time: str = "13:55:36", client: str = "192.0.2.7", more: str = "") -> str:
    return _COMMON.format(client=client, time=time, request=request) + more


def _load(directory: Path, *lines: str, notes: list[str] | None = None) -> tuple[Session, ...]:
    path = directory / "access.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_sessions([str(path)], [].append if notes is None else notes.append)


def _urls(session: Session) -> list[str]:
    return [step.url for step in session.steps]


def test_the_common_format_gives_paths_and_queries_as_they_were_sent(tmp_path: Path) -> None:
    (session,) = _load(tmp_path, _common("GET /api/trades/?page=2&page=%31 HTTP/1.1"), _common("HEAD /health HTTP/1.0"))
    assert [(step.method, step.url) for step in session.steps] == [
        ("GET", "/api/trades/?page=2&page=%31"),
        ("HEAD", "/health"),
    ]
    assert session.tags == ("recorded",)


def test_the_combined_format_tells_users_behind_one_address_apart(tmp_path: Path) -> None:
    lines = [
        _common(f"GET /{agent}/{n} HTTP/1.1", more=f' "https://example.test/" "{agent} \\"x\\" (a)"')
        for n in (1, 2)
        for agent in ("one", "two")
    ]
    assert [_urls(session) for session in _load(tmp_path, *lines)] == [["/one/1", "/one/2"], ["/two/1", "/two/2"]]


def test_a_load_balancers_log_has_whole_addresses(tmp_path: Path) -> None:
    lines = [
        _BALANCER.format(client="192.0.2.7", time=time, request=f"GET https://www.example.com:443{path} HTTP/2.0")
        for time, path in (("22:30:00", "/b?x=http://y"), ("22:20:00", "/a"), ("22:40:00", ""))
    ]
    (session,) = _load(tmp_path, *lines)
    assert _urls(session) == ["/a", "/b?x=http://y", "/"]


def test_half_an_hour_of_silence_begins_another_session(tmp_path: Path) -> None:
    times = ("10:00:00", "10:29:00", "11:00:01", "11:00:02")
    found = _load(tmp_path, *(_common(f"GET /{time[:5]} HTTP/1.1", time) for time in times))
    assert [len(session.steps) for session in found] == [2, 2]
    assert [session.id for session in found] == ["access#1", "access#2"]


def test_writes_and_noise_are_skipped_and_told(tmp_path: Path) -> None:
    notes: list[str] = []
    lines = (
        _common("GET /kept HTTP/1.1"),
        _common("POST /api/trades/ HTTP/1.1"),
        _common("\\x16\\x03\\x01"),
        _common("GET /{{id}} HTTP/1.1"),
        "logrotate was here",
    )
    (session,) = _load(tmp_path, *lines, notes=notes)
    assert _urls(session) == ["/kept"]
    assert ["2 of 5 lines" in notes[0], "2 requests" in notes[1]] == [True, True]


def test_values_of_secret_parameters_are_left_out(tmp_path: Path) -> None:
    lines = [
        _common(f"GET {url} HTTP/1.1")
        for url in ("/a?api_key=hush&page=1", "/b?t%6Fken=hush", "/c?", "/d?page=1&size=2")
    ]
    (session,) = _load(tmp_path, *lines)
    assert _urls(session) == ["/a?page=1", "/b", "/c?", "/d?page=1&size=2"]


def test_escapes_are_read_and_a_compressed_log_too(tmp_path: Path) -> None:
    path = tmp_path / "old.log.gz"
    path.write_bytes(gzip.compress(_common('GET /a\\"b\\x41 HTTP/1.1').encode() + b"\r\n"))
    (session,) = load_sessions([str(path)])
    assert _urls(session) == ['/a"bA']


def test_bytes_that_a_server_wrote_in_digits_are_sent_as_such(tmp_path: Path) -> None:
    (session,) = _load(tmp_path, _common("GET /caf\\xC3\\xA9\\x20\\x00?q=1 HTTP/1.1"))
    assert _urls(session) == ["/caf%C3%A9%20%00?q=1"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([_common("DELETE /api/trades/1 HTTP/1.1")], "no request of the log can be sent"),
        (["some other format altogether"], "in no known format"),
        (["[2026-01-01 09:00:00] GET /a 200", "[2026-01-01 09:00:01] GET /b 200"], "in no known format"),
    ],
)
def test_a_log_without_use_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        _load(tmp_path, *lines)


def test_a_load_balancers_log_is_read_whatever_its_fields_hold(tmp_path: Path) -> None:
    start = "2026-10-10T22:23:00.186641Z app/my-balancer/50dc6c495c0c9188"
    end = '"Root=1-5" "-" "-" 0 2026-10-10T22:22:48.364000Z "waf,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1'
    lines = (
        f'h2 {start} 2001:db8::7:2817 10.0.1.252:48160 0.0 0.1 0.0 200 200 5 257 "GET https://a.test:443/h2 HTTP/2.0"'
        f' "an \\"agent\\" (x; y)" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x {end} "field of the future" 7',
        f'http {start} 2001:db8::7:2817 - -1 -1 -1 503 - 34 366 "GET http://a.test:80/none HTTP/1.1"'
        f' "an \\"agent\\" (x; y)" - - - {end}',
        f'wss {start} 10.0.0.140:40914 10.0.1.192:8010 0.001 0.003 0.0 101 101 218 786 "GET https://10.0.0.30:443/ws'
        f' HTTP/1.1" "-" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x {end}',
        f'https {start} 10.0.0.9:1 - -1 -1 -1 400 - 0 0 "- http://a.test:80- -" "-" - - - {end}',
    )
    notes: list[str] = []
    first, second = _load(tmp_path, *lines, notes=notes)
    assert (_urls(first), _urls(second)) == (["/h2", "/none"], ["/ws"])
    assert len(notes) == 1 and notes[0].endswith("skipped 1 of 4 lines, which are no request: line 4")


def test_what_is_skipped_is_named(tmp_path: Path) -> None:
    notes: list[str] = []
    bad = ["# a remark of the server"] + ["noise"] * 6
    lines = (*bad, _common("GET /a HTTP/1.1"), _common("PUT /a HTTP/1.1"), _common("POST /a HTTP/1.1"))
    _load(tmp_path, *lines, notes=notes)
    assert notes[0].endswith("7 of 10 lines, which are no request: line 1, 2, 3, 4, 5, …")
    assert notes[1].endswith("1 POST, 1 PUT")


def test_a_byte_that_is_not_utf_8_costs_no_more_than_its_line(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    agent = _common("GET /b HTTP/1.1", more=' "-" "caf\xe9"').encode("latin-1")
    path.write_bytes(gzip.compress(_common("GET /a HTTP/1.1").encode() + b"\n" + agent + b"\n"))
    assert [_urls(session) for session in load_sessions([str(path)])] == [["/a"], ["/b"]]
    path.write_bytes(b"{\xe9}")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_sessions([str(path)])
