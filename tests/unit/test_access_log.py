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
        _common(f"GET {url} HTTP/1.1") for url in ("/a?api_key=hush&page=1", "/b?token=hush", "/c?", "/d?page=1&size=2")
    ]
    (session,) = _load(tmp_path, *lines)
    assert _urls(session) == ["/a?page=1", "/b", "/c?", "/d?page=1&size=2"]


def test_escapes_are_read_and_a_compressed_log_too(tmp_path: Path) -> None:
    path = tmp_path / "old.log.gz"
    path.write_bytes(gzip.compress(_common('GET /a\\"b\\x41 HTTP/1.1').encode() + b"\r\n"))
    (session,) = load_sessions([str(path)])
    assert _urls(session) == ['/a"bA']


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([_common("DELETE /api/trades/1 HTTP/1.1")], "no request of the log can be sent"),
        (["some other format altogether"], "line 1"),
    ],
)
def test_a_log_without_use_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        _load(tmp_path, *lines)
