"""`parakeet generate` on systems with and without links: one seed, one file; what it exercises, replay exercises."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.session_files import load_sessions
from harness.child import free_port
from harness.cli import run
from harness.domain.session import Session
from harness.domain.substitution import step_placeholders
from tests.builders.small_pair import Servers

NOTES, SHOP = "notes_api:create_app", "small_shop.app:create_app"
ORDER = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/order": {
            "get": {
                "parameters": [
                    {"name": "quantity", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": {"200": {"description": "the price"}},
            }
        }
    },
}


def serve(servers: Servers, app: str, *arguments: str) -> str:
    return servers.start(app, *arguments, module="tests.builders.asgi_process")


@pytest.fixture
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    started.stop()


def generate(url: str, out: Path, *more: str) -> int:
    return run(["generate", "--openapi", f"{url}/openapi.json", "--out", str(out), *more])


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of sessions for the notes, and what was printed."""
    path, shown, servers = tmp_path_factory.mktemp("generated") / "sessions.json", io.StringIO(), Servers()
    try:
        with contextlib.redirect_stdout(shown):
            assert generate(serve(servers, NOTES), path, "--seed", "3", "--max-examples", "6") == 0
    finally:
        servers.stop()
    return path, shown.getvalue()


def replayed(out: Path, servers: Servers, sessions: Path, *target: str) -> tuple[int, dict[str, Any]]:
    urls = ("--legacy-url", serve(servers, NOTES), "--target-url", serve(servers, NOTES, *target))
    code = run(["replay", *urls, "--sessions", str(sessions), "--out", str(out)])
    coverage = json.loads((out / "coverage.json").read_bytes())
    return code, {each["operation"]: each for each in coverage["operations"]}


def links(sessions: tuple[Session, ...]) -> set[str]:
    return {step.name for session in sessions for step in session.steps if step_placeholders(step)}


def test_one_seed_makes_one_file(tmp_path: Path, servers: Servers, generated: tuple[Path, str]):
    again = tmp_path / "again.json"
    assert generate(serve(servers, NOTES), again, "--seed", "3", "--max-examples", "6") == 0
    assert again.read_bytes() == generated[0].read_bytes()


def test_links_are_inferred_and_ids_are_each_sides_own(tmp_path: Path, servers: Servers, generated: tuple[Path, str]):
    path, shown = generated
    assert links(load_sessions([str(path)])) >= {"GET /notes/{note_id}", "PUT /notes/{note_id}"}
    # The target numbers its notes otherwise: a literal id would be found on one side only.
    _, coverage = replayed(tmp_path / "run", servers, path, "first_id=5000")
    lines = (tmp_path / "run" / "differences.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["pointer"].rpartition("/")[2] for line in lines} == {"id"}
    assert {status for each in coverage.values() for status in each["never"]} == set()
    for operation in ("GET /notes/{note_id}", "PUT /notes/{note_id}"):
        assert coverage[operation]["statuses"].keys() >= {"200", "404", "422"}
        assert f"{operation}  200 404 422" in shown


def test_an_id_in_a_location_is_each_sides_own_below_the_path_of_the_documents_server(
    tmp_path: Path, servers: Servers, capsys: Any
):
    path, app = tmp_path / "sessions.json", "ports_api:create_app"
    url = serve(servers, app)
    assert generate(url, path, "--max-examples", "3") == 0
    assert f"paths are relative to {url}/v2:" in capsys.readouterr().out
    assert links(load_sessions([str(path)])) == {"GET /ports/{port}"}
    urls = ("--legacy-url", f"{serve(servers, app)}/v2", "--target-url", f"{serve(servers, app)}/v2")
    assert run(["replay", *urls, "--sessions", str(path), "--out", str(tmp_path / "run")]) == 0
    coverage = json.loads((tmp_path / "run" / "coverage.json").read_bytes())
    statuses = {each["operation"]: set(each["statuses"]) for each in coverage["operations"]}
    assert statuses["POST /ports"] == {"201"} and statuses["GET /ports/{port}"] == {"200", "404"}


def test_what_is_generated_finds_a_planted_defect_and_nothing_else(
    tmp_path: Path, servers: Servers, generated: tuple[Path, str]
):
    assert replayed(tmp_path / "equal", servers, generated[0])[0] == 0
    assert replayed(tmp_path / "defect", servers, generated[0], "defect=shout")[0] == 1


def test_run_against_both_sides_it_keeps_what_only_one_answers(tmp_path: Path, servers: Servers, capsys: Any):
    path, target = tmp_path / "sessions.json", serve(servers, NOTES, "defect=gone")
    assert generate(serve(servers, NOTES), path, "--target-url", target, "--max-examples", "1") == 0
    assert "the sides disagree: GET /notes answered 200 | 410" in capsys.readouterr().out
    assert any(step.name == "GET /notes" for session in load_sessions([str(path)]) for step in session.steps)


def test_a_limit_says_what_it_gives_up(tmp_path: Path, servers: Servers, capsys: Any):
    path = tmp_path / "sessions.json"
    assert generate(serve(servers, NOTES), path, "--max-sessions", "2", "--seed", "4", "--max-examples", "1") == 0
    assert "--max-sessions gave up " in capsys.readouterr().out
    assert len(load_sessions([str(path)])) == 2


def test_a_document_in_a_file_describes_a_system_elsewhere(tmp_path: Path, servers: Servers, capsys: Any):
    document, path = tmp_path / "shop.json", tmp_path / "sessions.json"
    document.write_text(json.dumps(ORDER), encoding="utf-8")
    arguments = ["generate", "--openapi", str(document), "--out", str(path), "--max-examples", "2"]
    assert run(arguments) == 2
    assert "--legacy-url" in capsys.readouterr().err
    assert not path.exists()
    assert run([*arguments, "--legacy-url", serve(servers, SHOP)]) == 0
    assert {step.url.partition("?")[0] for session in load_sessions([str(path)]) for step in session.steps} == {
        "/order"
    }
    assert "GET /order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no OpenAPI document"),
        ("no: [document", "no OpenAPI document"),
        ('{"a": 1}', "no OpenAPI document"),
        ('{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}', "has no operations"),
    ],
    ids=["absent", "unreadable", "something else", "without operations"],
)
def test_what_is_no_usable_document_is_told_and_nothing_written(
    tmp_path: Path, capsys: Any, content: str | None, expected: str
):
    document, path = tmp_path / "document.json", tmp_path / "sessions.json"
    if content is not None:
        document.write_text(content, encoding="utf-8")
    nobody = f"http://127.0.0.1:{free_port()}"
    assert run(["generate", "--openapi", str(document), "--out", str(path), "--legacy-url", nobody]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert str(document) in told
    assert not path.exists()


def test_nobody_at_the_address_is_inconclusive_and_a_page_is_no_document(tmp_path: Path, servers: Servers, capsys: Any):
    assert generate(f"http://127.0.0.1:{free_port()}", tmp_path / "sessions.json") == 3
    assert generate(f"{serve(servers, NOTES)}/docs", tmp_path / "sessions.json") == 2
    assert "no OpenAPI document" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
