"""`parakeet record` from the outside: what it leaves, however it ends, and that it replays."""

import json
import resource
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import run
from tests.builders.recording_process import RecordingProcess
from tests.builders.small_pair import Servers

Start = Callable[..., RecordingProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[RecordingProcess] = []

    def begin(*arguments: Any, **more: Any) -> RecordingProcess:
        running.append(RecordingProcess(*arguments, **more))
        return running[-1]

    yield begin
    for each in running:
        each.kill()


def call(url: str, method: str = "GET", body: object = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, method=method, headers={**kind, **headers})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_recorded_replays_where_ids_are_others(servers: Servers, start: Start, tmp_path: Path) -> None:
    out = tmp_path / "life.jsonl"
    recording = start(servers.start("--memory"), out)
    made = call(f"{recording.url}/things", "POST", {"name": "new"})
    assert call(f"{recording.url}/things/{made['id']}")["name"] == "new"
    call(f"{recording.url}/whoami", Authorization="Bearer a-token-of-nobody")
    call(f"{recording.url}/things/{made['id']}", "DELETE")
    assert recording.end(signal.SIGTERM) == 0, recording.said
    assert "4 requests in 1 session, 2 references to earlier answers" in recording.said[-1]
    assert [line["request"]["url"] for line in lines(out)] == [
        "/things",
        "/things/{{id_1}}",
        "/whoami",
        "/things/{{id_1}}",
    ]
    assert lines(out)[0]["save"] == {"id_1": "/id"}
    assert "a-token-of-nobody" not in out.read_text() and "[redacted:" in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["life.jsonl"]
    legacy, target = servers.start("--memory"), servers.start("--memory")
    for name in ("other", "another"):
        call(f"{target}/things", "POST", {"name": name})
    replayed = ["replay", "--legacy-url", legacy, "--target-url", target, "--sessions", str(out)]
    assert run([*replayed, "--out", str(tmp_path / "run")]) == 0
    assert call(f"{legacy}/things") == [], "the recorded id was deleted, not the one that the recording had"


def test_a_kill_loses_at_most_the_exchange_in_flight(servers: Servers, start: Start, tmp_path: Path) -> None:
    out = tmp_path / "killed.jsonl"
    recording = start(servers.start("--memory"), out)
    for number in range(30):
        call(f"{recording.url}/whoami?n={number}")
    assert recording.end(signal.SIGKILL) == -signal.SIGKILL
    assert not out.exists()
    part = tmp_path / "killed.jsonl.part"
    with part.open("ab") as file:
        file.write(b'{"session": 1, "step": 99, "se')  # as a kill within a write leaves it
    assert run(["record", "--upstream", "http://127.0.0.1:9", "--out", str(out)]) == 2, "it must not be overwritten"
    assert run(["record", "--recover", str(part), "--out", str(out)]) == 0
    assert not part.exists()
    urls = [line["request"]["url"] for line in lines(out)]
    assert urls == [f"/whoami?n={number}" for number in range(len(urls))] and len(urls) >= 29


def test_a_full_disk_stops_the_recording_and_not_the_traffic(servers: Servers, start: Start, tmp_path: Path) -> None:
    out = tmp_path / "full.jsonl"

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    recording = start(servers.start("--memory"), out, prepare=small_disk)
    for number in range(40):
        assert call(f"{recording.url}/whoami?n={number}") == {"sub": None, "has_token": False}
    assert recording.end(signal.SIGINT) == 4
    said = "\n".join(recording.said)
    assert "recording has stopped: File too large" in said and "the disk refused them" in said
    urls = [line["request"]["url"] for line in lines(out)]
    assert urls == [f"/whoami?n={number}" for number in range(len(urls))] and 2 < len(urls) < 40


def test_without_traffic_there_is_no_file(start: Start, tmp_path: Path) -> None:
    recording = start("http://127.0.0.1:9", tmp_path / "none.jsonl")
    assert recording.end(signal.SIGINT) == 3
    assert "nothing listens at http://127.0.0.1:9 yet" in "\n".join(recording.said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--upstream", "nonsense"], "not an HTTP URL"),
        (["--upstream", "http://127.0.0.1:1/base"], "has a path"),
        (["--upstream", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"], "--allow-remote"),
        (["--upstream", "http://127.0.0.1:1", "--listen", "127.0.0.1:many"], "not an address"),
        (["--upstream", "http://localhost:8080"], "the proxy itself"),
        (
            ["--upstream", "http://127.0.0.1:1", "--shadow", "http://localhost:8080", "--shadow-out", "s"],
            "the proxy itself",
        ),
        (["--upstream", "http://127.0.0.1:1", "--split-by", "cookie"], "--cookie NAME"),
        ([], "--recover"),
        (["--recover", "no-such.part"], "no such recording"),
    ],
)
def test_bad_usage_is_told_and_leaves_nothing(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["record", "--out", str(tmp_path / "out.jsonl"), *arguments]) == 2
    assert said in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_and_an_existing_file_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        arguments = ["record", "--upstream", "http://127.0.0.1:1", "--listen", listen, "--out"]
        assert run([*arguments, str(tmp_path / "out.jsonl")]) == 2
        assert "cannot listen" in capfd.readouterr().err
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "there.jsonl").write_text("kept")
        assert run([*arguments, str(tmp_path / "there.jsonl")]) == 2
        assert "exists already" in capfd.readouterr().err
    assert (tmp_path / "there.jsonl").read_text() == "kept"


def test_a_shadow_that_answers_otherwise_is_no_go(
    servers: Servers, start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory", "--defect", "upper")
    for side in (legacy, target):
        call(f"{side}/things", "POST", {"name": "a"})
    run_dir = tmp_path / "run"
    shadow = ("--shadow", target, "--shadow-out", str(run_dir))
    recording = start(legacy, tmp_path / "rec.jsonl", *shadow)
    for _ in range(3):
        assert call(f"{recording.url}/things/1") == {"id": 1, "name": "a"}
        call(f"{recording.url}/things")
    call(f"{recording.url}/things", "POST", {"name": "only the legacy's"})
    assert recording.end() == 1
    said = "\n".join(recording.said)
    assert said.count("note: different: ") == 1 and "1 writes were not copied" in said
    assert "3 × GET /things/{}" in said and "/name" in said
    assert len(call(f"{target}/things")) == 1
    assert (run_dir / "report.html").is_file() and len(lines(tmp_path / "rec.jsonl")) == 7
    before = (run_dir / "differences.jsonl").read_bytes()
    assert run(["compare", "--run", str(run_dir)]) == 1
    assert (run_dir / "differences.jsonl").read_bytes() == before
    assert run(["report", "--run", str(run_dir), "--format", "md"]) == 0


def test_a_shadow_may_be_told_to_write_and_keeps_its_own_ids(servers: Servers, start: Start, tmp_path: Path) -> None:
    legacy, target = servers.start("--memory"), servers.start("--memory")
    call(f"{target}/things", "POST", {"name": "so that ids are others"})
    shadow = ("--shadow", target, "--shadow-out", str(tmp_path / "run"), "--shadow-writes")
    recording = start(legacy, tmp_path / "rec.jsonl", *shadow)
    made = call(f"{recording.url}/things", "POST", {"name": "new"})
    call(f"{recording.url}/things/{made['id']}")
    call(f"{recording.url}/things/{made['id']}", "DELETE")
    assert recording.end() == 0, recording.said
    assert [thing["id"] for thing in call(f"{target}/things")] == [1]


def test_a_dead_shadow_is_inconclusive_and_harms_nobody(servers: Servers, start: Start, tmp_path: Path) -> None:
    shadow = ("--shadow", "http://127.0.0.1:9", "--shadow-out", str(tmp_path / "run"))
    recording = start(servers.start("--memory"), tmp_path / "rec.jsonl", *shadow)
    assert call(f"{recording.url}/whoami") == {"sub": None, "has_token": False}
    assert recording.end() == 3
    assert "nothing was compared: the target did not answer" in "\n".join(recording.said)
    assert len(lines(tmp_path / "rec.jsonl")) == 1


def test_a_shadow_that_dies_meanwhile_is_inconclusive_for_what_is_missing(
    servers: Servers, start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mortal, out = Servers(), tmp_path / "run"
    shadow = ("--shadow", mortal.start("--memory"), "--shadow-out", str(out))
    recording = start(servers.start("--memory"), tmp_path / "rec.jsonl", *shadow)
    call(f"{recording.url}/things")
    deadline = time.monotonic() + 20
    while not (out / "exchanges.jsonl.gz").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    mortal.stop()
    call(f"{recording.url}/things")
    assert recording.end() == 3
    said = "\n".join(recording.said)
    assert "no unexplained difference in 1 compared exchanges" in said and "1 copies were not answered" in said
    assert run(["gate", "--run", str(out)]) == 3
    assert run(["compare", "--run", str(out)]) == 3


def test_a_shadow_without_a_directory_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["record", "--upstream", "http://127.0.0.1:1", "--out", str(tmp_path / "rec.jsonl")]
    assert run([*arguments, "--shadow", "http://127.0.0.1:2"]) == 2
    assert "--shadow-out" in capfd.readouterr().err
    assert run([*arguments, "--shadow", "http://127.0.0.1:1", "--shadow-out", str(tmp_path / "run")]) == 2
    assert "the upstream itself" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
