"""`parakeet replay` and `parakeet compare` from the outside: exit codes, files, and what is left untouched."""

import asyncio
import base64
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from harness.adapters.postgres import mark_disposable
from harness.child import free_port
from harness.cli import run
from legacy_adapter.sqlite import mark_disposable_file as mark_file
from tests.builders.postgres import fetch
from tests.builders.small_pair import JSON_HEADERS, Databases, Servers, write_session

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-this-very-test-only-0123456789"


def request(method: str, url: str, body: object = None, **more: object) -> dict[str, object]:
    sent: dict[str, object] = {"method": method, "url": url}
    if body is not None:
        sent |= {"json": body, "headers": JSON_HEADERS}
    if "auth" in more:
        sent["auth"] = more.pop("auth")
    return {"name": f"{method} {url}", "request": sent, **more}


LIFE = (
    request("POST", "/things", {"name": "new"}, save={"id": "/id"}),
    request("GET", "/things/{{id}}"),
    request("GET", "/things"),
    request("GET", "/time"),
    request("GET", "/things/2"),
    request("DELETE", "/things/{{id}}"),
    request("GET", "/things/{{id}}"),
)


def replay(legacy: str, target: str, out: Path, *more: str) -> int:
    return run(["replay", "--legacy-url", legacy, "--target-url", target, "--out", str(out), *more])


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_two_equal_systems_are_go_and_leave_their_databases_as_they_were(
    servers: Servers, databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    databases.mark()
    legacy = servers.start("--sqlite", str(databases.sqlite_path))
    target = servers.start("--dsn", databases.dsn)
    session = write_session(tmp_path / "life.json", *LIFE)
    again = write_session(tmp_path / "again.json", *LIFE)
    out = tmp_path / "run"
    state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn)
    assert replay(legacy, target, out, *state, "--sessions", session, "--sessions", again) == 0, capsys.readouterr()
    assert databases.things() == ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")])
    printed = capsys.readouterr()
    assert "no unexplained difference in 14 compared exchanges" in printed.out
    assert lines(out / "comparisons.jsonl")[0]["operation"] == "POST /things"
    exchanges = [json.loads(line) for line in gzip.decompress((out / "exchanges.jsonl.gz").read_bytes()).splitlines()]
    assert sum(line["kind"] == "exchange" for line in exchanges) == 2 * 14
    created = next(line for line in exchanges if line["kind"] == "exchange")
    assert created["legacy_changes"][0]["after"] == created["target_changes"][0]["after"] == [3, "new"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["finished_at"] and manifest["format_version"] == 1 and manifest["environment"] == "local"
    assert databases.dsn not in json.dumps(manifest)


def test_what_the_configuration_says_of_the_target_s_address_is_used(
    servers: Servers, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.mark()
    legacy = servers.start("--sqlite", str(databases.sqlite_path))
    target = servers.start("--dsn", databases.dsn)
    monkeypatch.setenv("DSN_OF_THIS_TEST", databases.dsn)
    config = tmp_path / "parakeet.toml"
    config.write_text(f"""
[legacy]
health_path = "/things"
[environments.here]
target_url = "{target}/"
dsn_env = "DSN_OF_THIS_TEST"
reset_command = ["mkdir", "{tmp_path / "was-reset"}"]
""")
    plain = write_session(tmp_path / "plain.json", *LIFE[:2])
    more = ("--config", str(config), "--legacy-db", str(databases.sqlite_path))
    assert replay(legacy, target, tmp_path / "run", *more, "--sessions", plain) == 0
    assert databases.things() == ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")])
    assert not (tmp_path / "was-reset").exists()
    # Made a second time, the directory is in the way: the command is run before each pass.
    remembers = write_session(tmp_path / "remembers.json", *LIFE[:2], tags=("process_memory",))
    assert replay(legacy, target, tmp_path / "again", *more, "--sessions", remembers) == 3
    assert (tmp_path / "was-reset").is_dir()
    monkeypatch.delenv("DSN_OF_THIS_TEST")
    assert replay(legacy, target, tmp_path / "third", *more, "--sessions", plain) == 2
    assert not (tmp_path / "third").exists()


def test_a_wrong_answer_is_no_go_with_pointer_and_both_values(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory", "--defect", "upper")
    session = write_session(tmp_path / "life.json", *LIFE[:2])
    out = tmp_path / "run"
    assert replay(legacy, target, out, "--sessions", session) == 1
    (difference,) = lines(out / "differences.jsonl")
    assert (difference["pointer"], difference["legacy"], difference["target"]) == ("/name", '"new"', '"NEW"')
    assert difference["outcome"] == "different" and str(difference["curl_target"]).startswith("curl")
    printed = capsys.readouterr().out
    assert "/name" in printed and '"new"' in printed and '"NEW"' in printed
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(["compare", "--run", str(out)]) == 1
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "comparing again must change nothing"


def test_a_lost_write_is_no_go_though_the_answer_is_right(
    servers: Servers, databases: Databases, tmp_path: Path
) -> None:
    databases.mark()
    with closing(sqlite3.connect(databases.sqlite_path)) as database:
        database.execute("DELETE FROM sqlite_sequence")
        database.execute("DELETE FROM things")
        database.commit()
    asyncio.run(fetch(databases.dsn, "TRUNCATE things RESTART IDENTITY"))
    legacy = servers.start("--sqlite", str(databases.sqlite_path))
    target = servers.start("--dsn", databases.dsn, "--defect", "lost-write")
    session = write_session(tmp_path / "write.json", LIFE[0])
    out = tmp_path / "run"
    state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn)
    assert replay(legacy, target, out, *state, "--sessions", session) == 1
    assert {(found["facet"], found["outcome"]) for found in lines(out / "differences.jsonl")} == {("row", "different")}


def test_different_rows_at_the_start_are_no_go(servers: Servers, databases: Databases, tmp_path: Path) -> None:
    databases.mark()
    asyncio.run(fetch(databases.dsn, "UPDATE things SET name = 'x' WHERE id = 2"))
    legacy, target = servers.start("--sqlite", str(databases.sqlite_path)), servers.start("--dsn", databases.dsn)
    session = write_session(tmp_path / "time.json", request("GET", "/things/1"))
    state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn)
    assert replay(legacy, target, tmp_path / "run", *state, "--sessions", session) == 1
    (found,) = lines(tmp_path / "run" / "differences.jsonl")
    assert (found["pointer"], found["legacy"], found["target"]) == ("/things/2/name", '"b"', '"x"')


def test_nothing_comparable_is_inconclusive(servers: Servers, tmp_path: Path) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    session = write_session(tmp_path / "fails.json", request("GET", "/fails"))
    assert replay(legacy, target, tmp_path / "run", "--sessions", session) == 3


@pytest.mark.parametrize("dead", ["legacy", "target"])
def test_an_unreachable_side_is_inconclusive_names_its_address_and_writes_nothing(
    servers: Servers, tmp_path: Path, dead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    alive = servers.start("--memory")
    legacy, target = (nobody, alive) if dead == "legacy" else (alive, nobody)
    session = write_session(tmp_path / "s.json", request("GET", "/time"))
    assert replay(legacy, target, tmp_path / "run", "--sessions", session) == 3
    assert nobody in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("unmarked", ["legacy", "target"])
def test_an_unmarked_database_is_refused_and_untouched(
    servers: Servers, databases: Databases, tmp_path: Path, unmarked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if unmarked == "legacy":
        asyncio.run(mark_disposable(databases.dsn))
    else:
        mark_file(databases.sqlite_path)
    before = databases.sqlite_path.read_bytes()
    legacy, target = servers.start("--sqlite", str(databases.sqlite_path)), servers.start("--dsn", databases.dsn)
    session = write_session(tmp_path / "life.json", *LIFE)
    state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn)
    assert replay(legacy, target, tmp_path / "run", *state, "--sessions", session) == 2
    assert databases.sqlite_path.read_bytes() == before
    assert databases.things()[1] == [(1, "a"), (2, "b")]
    assert not (tmp_path / "run").exists()
    shown = capsys.readouterr().err
    assert "disposable" in shown and databases.dsn not in shown


def test_wrong_usage_says_what_and_touches_nothing(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = servers.start("--memory")
    session = write_session(tmp_path / "s.json", request("GET", "/whoami", auth="valid"))
    plain = write_session(tmp_path / "p.json", request("GET", "/time"))
    (tmp_path / "no.db").write_text("this is not a database, whatever its name says" * 100)
    (tmp_path / "bad.toml").write_text("[[waiver]]\nid = 'x'\nsurprise = 1\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    dsn = f"postgresql://nobody:hunter22@127.0.0.1:{free_port()}/none"
    cases: list[tuple[list[str], Path, int, str]] = [
        (["--sessions", session], tmp_path / "run", 2, "legacy-jwt-secret-file"),
        (["--sessions", str(tmp_path / "none.json")], tmp_path / "run", 2, "none.json"),
        (["--sessions", plain, "--waivers", str(tmp_path / "bad.toml")], tmp_path / "run", 2, "surprise"),
        (["--sessions", plain, "--waivers", str(tmp_path / "no.toml")], tmp_path / "run", 2, "no.toml"),
        (["--sessions", plain], tmp_path / "full", 2, "not empty"),
        (["--sessions", plain, "--legacy-db", str(tmp_path / "no.db")], tmp_path / "run", 2, "--target-dsn"),
        (
            ["--sessions", plain, "--legacy-db", str(tmp_path / "no.db"), "--target-dsn", dsn],
            tmp_path / "run",
            2,
            "no.db",
        ),
        (
            ["--sessions", plain, "--legacy-db", str(tmp_path / "x"), "--target-dsn", dsn],
            tmp_path / "run",
            2,
            "no such",
        ),
        (["--sessions", plain, "--surprise"], tmp_path / "run", 2, "surprise"),
    ]
    for arguments, out, code, words in cases:
        assert replay(url, url, out, *arguments) == code, arguments
        shown = capsys.readouterr().err
        assert words in shown and "Traceback" not in shown and "hunter22" not in shown, (arguments, shown)
        assert not (tmp_path / "run").exists()


def test_a_wrong_dsn_is_refused_without_showing_the_password(
    servers: Servers, databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    databases.mark()
    url = servers.start("--memory")
    plain = write_session(tmp_path / "p.json", request("GET", "/time"))
    for dsn, code in (
        ("mysql://a:hunter22@h/x", 2),
        ("postgresql://a:hunter22@127.0.0.1:notaport/x", 2),
        (f"postgresql://a:hunter22@127.0.0.1:{free_port()}/x", 3),
    ):
        state = ("--legacy-db", str(databases.sqlite_path), "--target-dsn", dsn)
        assert replay(url, url, tmp_path / "run", *state, "--sessions", plain) == code
        assert "hunter22" not in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_tokens_go_to_their_own_side_and_never_to_disk(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    (tmp_path / "legacy-secret").write_text(SECRET + "\n")
    (tmp_path / "target-secret").write_text(SECRET[::-1])
    claims = base64.urlsafe_b64encode(b'{"sub":"mine"}').decode().rstrip("=")
    mine, theirs = f"h3ader.{claims}.legacysig", f"h3ader.{claims}.targetsig"
    session = write_session(
        tmp_path / "s.json", request("GET", "/whoami", auth="valid"), request("GET", "/whoami"), request("GET", "/time")
    )
    out = tmp_path / "run"
    options = ["--sessions", session, "--legacy-token", mine, "--target-token", theirs]
    options += ["--legacy-jwt-secret-file", str(tmp_path / "legacy-secret")]
    options += ["--target-jwt-secret-file", str(tmp_path / "target-secret")]
    assert replay(legacy, target, out, *options) == 0, capsys.readouterr()
    exchanges = gzip.decompress((out / "exchanges.jsonl.gz").read_bytes()).decode()
    stored = exchanges + "".join(path.read_text(errors="replace") for path in out.iterdir())
    for secret in (mine, theirs, SECRET, SECRET[::-1]):
        assert secret not in stored
    sent = [json.loads(line) for line in exchanges.splitlines()]
    pairs = [line for line in sent if line["kind"] == "exchange"]
    bearer = [
        [dict(line[side]["request"]["headers"])["Authorization"] for line in pairs[:3]] for side in ("legacy", "target")
    ]
    assert all(value.startswith("Bearer [redacted:") for values in bearer for value in values)
    assert bearer[0][1] == bearer[0][2] != bearer[1][1], "equal tokens stay equal, different ones different"


def test_recordings_are_replayed_without_their_answers(servers: Servers, tmp_path: Path) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    recording = tmp_path / "recording.jsonl"
    line = {
        "n": 7,
        "name": "one",
        "request": {"method": "GET", "url": "/things"},
        "response": {"status": 418, "headers": {}, "body": ""},
    }
    recording.write_text(json.dumps(line) + "\n")
    assert replay(legacy, target, tmp_path / "run", "--sessions", str(recording)) == 0
    (comparison,) = lines(tmp_path / "run" / "comparisons.jsonl")
    assert (comparison["step"], comparison["outcome"]) == (7, "identical")


def test_kill_in_the_middle_leaves_readable_evidence(servers: Servers, tmp_path: Path) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    patterns = []
    for number in range(400):
        patterns += ["--sessions", write_session(tmp_path / f"s{number:03}.json", *LIFE)]
    out = tmp_path / "run"
    code = "import sys; from harness.cli import main; main()"
    argv = [
        sys.executable,
        "-c",
        code,
        "replay",
        "--legacy-url",
        legacy,
        "--target-url",
        target,
        "--out",
        str(out),
        *patterns,
    ]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        stack.callback(process.kill)
        sizes = set[int]()  # once it has grown twice, the first session is in the journal
        while process.poll() is None and len(sizes) < 2:
            sizes |= {_stored_bytes(out)} - {0}
        process.send_signal(signal.SIGKILL)
    from harness.adapters.evidence_files import load_records  # noqa: PLC0415
    from harness.adapters.evidence_store import resume_run  # noqa: PLC0415

    store = resume_run(out)
    done = store.finished_sessions
    store.close()
    assert {record.session_id for record in load_records(out)} == done
    assert 1 <= len(done) < 400


def test_a_side_that_dies_is_inconclusive_and_its_evidence_is_kept(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory", "--defect", "dies")
    session = write_session(tmp_path / "s.json", *LIFE[:2], *[request("GET", "/time")] * 20)
    out = tmp_path / "run"
    assert replay(legacy, target, out, "--sessions", session) == 3
    printed = capsys.readouterr()
    assert "stopped answering" in printed.err and target in printed.err
    assert "connection refused" in (out / "differences.jsonl").read_text()
    assert json.loads((out / "manifest.json").read_text())["finished_at"] is None


def test_an_interrupt_restores_both_databases(servers: Servers, databases: Databases, tmp_path: Path) -> None:
    databases.mark()
    legacy, target = servers.start("--sqlite", str(databases.sqlite_path)), servers.start("--dsn", databases.dsn)
    patience = request("GET", "/time", sleep=60)
    session = write_session(tmp_path / "slow.json", LIFE[0], patience)
    code = "from harness.cli import main; main()"
    argv = [sys.executable, "-c", code, "replay", "--legacy-url", legacy, "--target-url", target]
    argv += ["--legacy-db", str(databases.sqlite_path), "--target-dsn", databases.dsn]
    argv += ["--out", str(tmp_path / "run"), "--sessions", session]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and len(databases.things()[1]) < 3:
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert databases.things() == ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")])


def _stored_bytes(out: Path) -> int:
    path = out / "exchanges.jsonl.gz"
    return path.stat().st_size if path.exists() else 0


def test_compare_says_what_is_wrong_with_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--run", str(tmp_path / "none")]) == 2
    shown = capsys.readouterr().err
    assert "none" in shown and "next:" in shown


def test_a_system_against_itself_is_told(servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = servers.start("--memory")
    session = write_session(tmp_path / "s.json", request("GET", "/things"))
    assert replay(one, f"{one}/", tmp_path / "run", "--sessions", session) == 0
    assert "compared with itself" in capsys.readouterr().err


def test_a_token_that_the_configuration_names_is_in_no_evidence_even_where_it_is_echoed(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEGACY_TOKEN", "named-legacy-token-1")
    config = tmp_path / "c.toml"
    config.write_text('[sides.legacy.auth]\ntoken_env = "LEGACY_TOKEN"\n')
    app = ("echo_api:create_app",)
    urls = [servers.start(*app, module="tests.builders.asgi_process") for _ in range(2)]
    session = write_session(tmp_path / "s.json", request("GET", "/echo"))
    more = ("--sessions", session, "--config", str(config), "--target-token", "X-Key: given-target-token-2")
    assert replay(urls[0], urls[1], tmp_path / "run", *more) == 1
    captured = capsys.readouterr()
    files = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in (tmp_path / "run").iterdir()
    ]
    for text in (captured.out.encode(), captured.err.encode(), *files):
        assert b"named-legacy-token-1" not in text and b"given-target-token-2" not in text
    assert any(b"echoed" in text for text in files)
