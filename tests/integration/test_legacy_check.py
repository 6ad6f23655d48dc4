"""`parakeet legacy check`, on the reference application and at an address."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.child import free_port
from harness.cli import run
from legacy_adapter.seed import write_seed_database

_ROOT = Path(__file__).resolve().parents[2]
_SHARED = _ROOT / ".." / "shared" / "legacy"

if not (_ROOT / ".venv-legacy" / "bin" / "python").exists():
    pytest.skip("the reference application's environment is absent: run `make install`", allow_module_level=True)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "seed.db"
    write_seed_database(path)
    return path


def _recording(path: Path, *lines: dict[str, Any]) -> Path:
    steps = [{"n": number, "name": f"step{number}"} | line for number, line in enumerate(lines, start=1)]
    path.write_text("".join(json.dumps(step) + "\n" for step in steps), encoding="utf-8")
    return path


def _get(url: str, body: Any, **fields: Any) -> dict[str, Any]:
    return _step("GET", url, 200, body, **fields)


def _step(method: str, url: str, status: int, body: Any, **fields: Any) -> dict[str, Any]:
    request = {"method": method, "url": url} | fields.pop("request", {})
    headers = {"content-type": "application/json"} | fields.pop("headers", {})
    return {"request": request, "response": {"status": status, "headers": headers, "body": body}} | fields


def _check(*arguments: object) -> int:
    return run(["legacy", "check", *(str(argument) for argument in arguments)])


@pytest.mark.skipif(not _SHARED.exists(), reason="../shared/legacy with the recording is absent")
def test_every_available_answer_of_the_recording_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, out = tmp_path / "fidelity.md", tmp_path / "result.json"
    files = ["--session", _SHARED / "session.jsonl", "--db", _SHARED / "seeded_trades.db"]
    assert _check(*files, "--report", report, "--out", out) == 0, capsys.readouterr().out
    document = json.loads(out.read_text())
    assert document["mismatches"] == []
    everything = document["groups"][-1]
    assert (everything["matched"], everything["total"], everything["withheld"]) == (205, 205, 108)
    assert report.read_text() == (_ROOT / "docs" / "legacy-fidelity.md").read_text()
    assert "205/205 matched, 108 withheld" in capsys.readouterr().out


def test_a_wrong_answer_exits_1_and_names_pointer_and_values(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = _recording(
        tmp_path / "r.jsonl", _get("/api/data/source/SPY", {"ticker": "SPY", "source": "x", "coverage": "$TEXT"})
    )
    assert _check("--session", recording, "--db", database) == 1
    said = capsys.readouterr().out
    assert '/source\n    recorded: "x"\n    answered: "tiingo"' in said
    assert "data         0/1 matched" in said


def test_database_and_process_start_afresh_where_the_session_changes(tmp_path: Path, database: Path) -> None:
    deleted = {
        "request": {"method": "DELETE", "url": "/api/trades/1"},
        "response": {"status": 204, "headers": {"content-type": "application/json"}, "body": ""},
    }
    started = _step(
        "POST",
        "/api/scanner/run",
        200,
        {
            "status": "started",
            "scanner_type": "quallamaggie",
            "universe": "sp500",
            "message": "$TEXT",
            "timestamp": "2026-01-01T00:00:00",
        },
        request={"json": {"custom_tickers": ["A"]}, "auth": "valid"},
        volatile=["/timestamp"],
    )
    idle = _get("/api/scanner/status", {"status": "idle", "has_results": False, "last_scan": None, "results_count": 0})
    recording = _recording(
        tmp_path / "r.jsonl",
        deleted | {"session": "a"},
        started | {"session": "a"},
        idle | {"session": "b"},
        deleted | {"session": "b"},
    )
    assert _check("--session", recording, "--db", database) == 0


def test_save_reuse_poll_and_sleep(tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trade = {
        "trade_id": "N-1",
        "ticker": "SPY",
        "direction": "BUY",
        "quantity": 1,
        "entry_price": 2,
        "entry_date": "2024-01-01",
    }
    create = {"request": {"method": "POST", "url": "/api/trades/", "json": trade}, "response": None}
    delete = {
        "request": {"method": "DELETE", "url": "/api/trades/{{first}}"},
        "response": {"status": 204, "headers": {"content-type": "application/json"}, "body": ""},
    }
    again = create | {"save": {"second": "/id"}, "reused": ["first", "second"]}
    missing = _step("GET", "/api/trades/{{second}}999", 404, {"detail": "$TEXT"})
    failed = {
        "strategy_name": "HRP",
        "status": "failed: Invalid parameter: Failed to fetch price data",
        "has_results": True,
        "timestamp": "2026-01-01T00:00:00",
    }
    poll = _get(
        "/api/strategies/HRP/status",
        failed,
        poll={"pointer": "/status", "while": ["running"]},
        volatile=["/timestamp"],
        sleep=0.01,
    )
    run_it = {
        "request": {"method": "POST", "url": "/api/strategies/run", "json": {"strategy_name": "HRP"}},
        "response": None,
    }
    recording = _recording(
        tmp_path / "r.jsonl", create | {"save": {"first": "/id"}}, delete, again, missing, run_it, poll
    )
    assert _check("--session", recording, "--db", database) == 0, capsys.readouterr().out
    kept = _recording(
        tmp_path / "k.jsonl",
        create | {"save": {"first": "/id"}},
        again | {"request": again["request"] | {"json": trade | {"trade_id": "N-2"}}},
    )
    assert _check("--session", kept, "--db", database) == 1
    assert "reused" in capsys.readouterr().out


_AUTH = {
    "valid": None,
    "valid-no-exp": None,
    "valid-lowercase-scheme": None,
    "valid-empty-claims": None,
    "valid-extra-claims": None,
    "expired": "Token has expired",
    "bad-signature": "Invalid token",
    "valid-two-spaces": "Invalid token",
    "valid-no-scheme": "Not authenticated",
    "valid-trailing-text": "Invalid token",
    "nbf-future": "Invalid token",
    "iat-future": "Invalid token",
    "aud-claim": "Invalid token",
    "sub-int": "Invalid token",
    "exp-string": "Invalid token",
    "alg-none": "Invalid token",
    "alg-hs512": "Invalid token",
}


def _auth_line(kind: str, detail: str | None) -> dict[str, Any]:
    if detail is None:
        body: Any = {"comparison": [], "message": "$TEXT", "generated_at": "2026-01-01T00:00:00"}
        return _get("/api/dashboard/comparison", body, request={"auth": kind}, volatile=["/generated_at"])
    return _step(
        "GET",
        "/api/dashboard/comparison",
        401,
        {"detail": detail},
        request={"auth": kind},
        headers={"www-authenticate": "Bearer"},
    )


def test_every_auth_kind(tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = _recording(tmp_path / "auth.jsonl", *(_auth_line(*item) for item in _AUTH.items()))
    assert _check("--session", recording, "--db", database) == 0, capsys.readouterr().out
    assert "17/17 matched" in capsys.readouterr().out


@contextmanager
def _served(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_any_address_can_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [_get("/", {"a": 1}), _get("/", {"a": 1}, session="b")]
    recording = _recording(tmp_path / "r.jsonl", *lines)
    with _served(b'{"a": 1}') as url:
        assert _check("--session", recording, "--url", url) == 0
        assert "not ours to restart" in capsys.readouterr().err
    with _served(b'{"a": 2}') as url:
        assert _check("--session", recording, "--url", url) == 1


def test_an_address_that_does_not_answer_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = _recording(tmp_path / "r.jsonl", _get("/", {}))
    assert _check("--session", recording, "--url", f"http://127.0.0.1:{free_port()}") == 3
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("case", ["no recording", "bad recording", "no database", "not a database", "none", "url"])
def test_unreadable_input_exits_2(
    case: str, tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = _recording(tmp_path / "r.jsonl", _get("/", {}))
    bad = tmp_path / "bad"
    bad.write_text("{bad", encoding="utf-8")
    arguments: dict[str, list[object]] = {
        "no recording": ["--session", tmp_path / "absent.jsonl", "--db", database],
        "bad recording": ["--session", bad, "--db", database],
        "no database": ["--session", recording, "--db", tmp_path / "absent.db"],
        "not a database": ["--session", recording, "--db", bad],
        "none": ["--session", recording],
        "url": ["--session", recording, "--url", "ftp://nowhere"],
    }
    assert _check(*arguments[case]) == 2
    said = capsys.readouterr().err
    assert "error:" in said
    assert "next:" in said
    assert "Traceback" not in said


def test_an_application_that_dies_at_start_exits_3_with_its_last_lines(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = _recording(tmp_path / "r.jsonl", _get("/", {}))
    database.write_bytes(database.read_bytes()[:20])
    assert _check("--session", recording, "--db", database) == 3
    assert "DatabaseError" in capsys.readouterr().err
