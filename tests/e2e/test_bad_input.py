"""Input that cannot be used: every command says what, where and what next, ends with its code, and touches nothing."""

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.adapters.evidence_store import open_run
from harness.child import free_port
from harness.cli import run
from harness.domain.errors import ExitCode
from harness.wiring.manifest import RunInputs, new_manifest
from legacy_adapter.seed import write_seed_database
from legacy_adapter.sqlite import mark_disposable_file
from tests.builders.postgres import connected
from tests.builders.run_directory import clean_content, write_run
from tests.builders.stored_records import session_record

USAGE, UNAVAILABLE = ExitCode.USAGE, ExitCode.INCONCLUSIVE
PASSWORD = "hunter22hunter22"
STEP = {"name": "root", "request": {"method": "GET", "url": "/"}}

# {words in braces} are what `world` makes; every command is one that would work but for one thing.
SIDES = "--legacy-url {nobody} --target-url {nobody}"
REPLAY = f"replay {SIDES} --sessions {{session}}"
STATE = "--legacy-db {marked}"
Case = tuple[str, ExitCode, str]

CONFIGURATION: dict[str, Case] = {
    f"{command.split()[0]} {kind}": (f"{command} --config {{{kind}}}", USAGE, f"{{{kind}}}")
    for kind in ("bad_toml", "unknown_key", "absent")
    for command in (
        "verify --out {new}", "up", f"{REPLAY} --out {{new}}", "compare --run {run}",
        "migrate --legacy-db {seed} --target-dsn {dead_dsn}", "parity rows --legacy-db {seed} --target-dsn {dead_dsn}",
        "bench cold-start", "load",
    )
}  # fmt: skip
VERIFY: dict[str, Case] = {
    "verify unknown phase": ("verify --phase 12 --out {new}", USAGE, "12"),
    "verify phase in words": ("verify --phase first --out {new}", USAGE, "first"),
    "verify unknown criterion": ("verify --criterion P9.9 --out {new}", USAGE, "P9.9"),
    "verify unknown environment": ("verify --environment mars --out {new}", USAGE, "mars"),
    "verify unknown profile": ("verify --profile slow --out {new}", USAGE, "slow"),
    "verify full directory": ("verify --out {full}", USAGE, "{full}"),
    "verify file as directory": ("verify --out {text}", USAGE, "{text}"),
    "verify absent database": ("verify --legacy-db {absent} --out {new}", USAGE, "{absent}"),
    "verify alien database": ("verify --legacy-db {text} --out {new}", USAGE, "{text}"),
    "verify resume of nothing": ("verify --resume --out {absent}", USAGE, "{absent}"),
    "verify resume of another version": ("verify --resume --out {foreign}", USAGE, "{foreign}"),
    "up absent database": ("up --legacy-db {absent}", USAGE, "{absent}"),
    "up alien database": ("up --legacy-db {text}", USAGE, "{text}"),
    "up json below nothing": ("up --json {absent}/pair.json", USAGE, "{absent}"),
    "up json is a directory": ("up --json {full}", USAGE, "{full}"),
}
REPLAYED: dict[str, Case] = {
    "replay unreachable": (f"{REPLAY} --out {{new}}", UNAVAILABLE, "{nobody}"),
    "replay address without scheme": (
        "replay --legacy-url localhost:1 --target-url {nobody} --sessions {session} --out {new}", USAGE, "localhost:1",
    ),
    "replay bad json": (f"replay {SIDES} --sessions {{bad_json}} --out {{new}}", USAGE, "{bad_json}"),
    "replay broken session": (f"replay {SIDES} --sessions {{comma}} --out {{new}}", USAGE, "{comma}line4column1"),
    "replay no version": (f"replay {SIDES} --sessions {{no_version}} --out {{new}}", USAGE, "{no_version}"),
    "replay session without steps": (f"replay {SIDES} --sessions {{no_steps}} --out {{new}}", USAGE, "{no_steps}"),
    "replay misspelt key": (f"replay {SIDES} --sessions {{misspelt}} --out {{new}}", USAGE, "group,steps"),
    "replay session with an unsaved value": (f"replay {SIDES} --sessions {{unsaved}} --out {{new}}", USAGE, "save"),
    "replay directory of sessions": (f"replay {SIDES} --sessions {{full}} --out {{new}}", USAGE, "{full}/**"),
    "replay port beyond all": (
        "replay --legacy-url http://someone:hunter22hunter22@127.0.0.1:99999 --target-url {nobody} --sessions {session}"
        " --out {new}", USAGE, "127.0.0.1:99999",
    ),
    "replay no such session": (f"replay {SIDES} --sessions {{absent}} --out {{new}}", USAGE, "{absent}"),
    "replay empty har": (f"replay {SIDES} --sessions {{empty_har}} --out {{new}}", USAGE, "{empty_har}"),
    "replay full directory": (f"{REPLAY} --out {{full}}", USAGE, "{full}"),
    "replay file as directory": (f"{REPLAY} --out {{text}}", USAGE, "{text}"),
    "replay unknown waiver key": (f"{REPLAY} --waivers {{bad_waivers}} --out {{new}}", USAGE, "{bad_waivers}"),
    "replay absent waivers": (f"{REPLAY} --waivers {{absent}} --out {{new}}", USAGE, "{absent}"),
    "replay alien database": (
        f"{REPLAY} --legacy-db {{text}} --target-dsn {{dead_dsn}} --out {{new}}", USAGE, "{text}",
    ),
    "replay absent database": (
        f"{REPLAY} --legacy-db {{absent}} --target-dsn {{dead_dsn}} --out {{new}}", USAGE, "{absent}",
    ),
    "replay unmarked database": (
        f"{REPLAY} --legacy-db {{seed}} --target-dsn {{dead_dsn}} --out {{new}}", USAGE, "{seed}",
    ),
    "replay wrong dsn": (f"{REPLAY} {STATE} --target-dsn {{wrong_dsn}} --out {{new}}", USAGE, "mysql"),
    "replay unreachable dsn": (f"{REPLAY} {STATE} --target-dsn {{dead_dsn}} --out {{new}}", UNAVAILABLE, "127.0.0.1"),
    "replay absent secret": (f"{REPLAY} --target-jwt-secret-file {{absent}} --out {{new}}", USAGE, "{absent}"),
}  # fmt: skip
STORED: dict[str, Case] = {
    f"{command} {what}": (f"{command} --run {{{what}}}", USAGE, f"{{{what}}}")
    for command, whats in {
        "compare": ("absent", "foreign", "corrupt", "cut", "full"),
        "report": ("absent", "foreign", "no_decision", "full"),
        "gate": ("absent", "foreign", "no_decision", "full"),
    }.items()
    for what in whats
} | {
    "compare unknown waiver key": ("compare --run {run} --waivers {bad_waivers}", USAGE, "{bad_waivers}"),
    "report unknown format": ("report --run {decided} --format pdf", USAGE, "pdf"),
    "gate unknown phase": ("gate --run {decided} --phase 12", USAGE, "12"),
}
DATABASES: dict[str, Case] = {
    f"{command} {what}": (f"{command} --legacy-db {{{file}}} --target-dsn {{{dsn}}}", code, words)
    for command in ("migrate", "parity rows")
    for what, file, dsn, code, words in (
        ("absent database", "absent", "dead_dsn", USAGE, "{absent}"),
        ("alien database", "text", "dead_dsn", USAGE, "{text}"),
        ("wrong dsn", "seed", "wrong_dsn", USAGE, "mysql"),
        ("unreachable dsn", "seed", "dead_dsn", UNAVAILABLE, "127.0.0.1"),
    )
} | {
    "prepare nothing": ("prepare --yes", USAGE, "--legacy-db"),
    "prepare absent file": ("prepare --yes --legacy-db {absent}", USAGE, "{absent}"),
    "prepare alien file": ("prepare --yes --legacy-db {text}", USAGE, "{text}"),
    "prepare wrong dsn": ("prepare --yes --target-dsn {wrong_dsn}", USAGE, "mysql"),
    "prepare unreachable dsn": ("prepare --yes --target-dsn {dead_dsn}", UNAVAILABLE, "127.0.0.1"),
}
CHECKS: dict[str, Case] = {
    "legacy check bad json": ("legacy check --session {bad_json} --db {seed}", USAGE, "{bad_json}"),
    "legacy check absent session": ("legacy check --session {absent} --db {seed}", USAGE, "{absent}"),
    "legacy check alien database": ("legacy check --session {session} --db {text}", USAGE, "{text}"),
    "legacy check absent database": ("legacy check --session {session} --db {absent}", USAGE, "{absent}"),
    "legacy check no database": ("legacy check --session {session}", USAGE, "--db"),
    "legacy check unreachable": ("legacy check --session {session} --url {nobody}", UNAVAILABLE, "{nobody}"),
    "legacy check absent secret": (
        "legacy check --session {session} --url {nobody} --jwt-secret-file {absent}", USAGE, "{absent}",
    ),
    "phases unknown": ("phases --phase 12", USAGE, "12"),
    "build into a file": ("build --out {text}", USAGE, "{text}"),
    "infra absent directory": ("infra check --terraform {absent}", USAGE, "{absent}"),
    "bench one address": ("bench latency --legacy-url {nobody}", USAGE, "address"),
    "bench of no function": ("bench cold-start --function nope", USAGE, "nope"),
    "bench of a function that no request starts": ("bench cold-start --function worker", USAGE, "worker"),
    "bench unreachable": (
        "bench latency --legacy-url {nobody} --target-url {nobody} --rounds 1 --requests 1", UNAVAILABLE, "{nobody}",
    ),
    "bench off this machine": (
        "bench latency --legacy-url http://192.0.2.1 --target-url http://192.0.2.1", USAGE, "192.0.2.1",
    ),
    "load off this machine": ("load --host http://192.0.2.1", USAGE, "192.0.2.1"),
    "load for a while": ("load --run-time while --host {nobody}", USAGE, "while"),
    "load unreachable": ("load --host {nobody}", UNAVAILABLE, "{nobody}"),
}  # fmt: skip
CASES = CONFIGURATION | VERIFY | REPLAYED | STORED | DATABASES | CHECKS


class World:
    """Files of every wrong kind, below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = {name: str(root / name) for name in ("absent", "new")}
        self.names["nobody"] = f"http://127.0.0.1:{free_port()}"
        self.names["dead_dsn"] = f"postgresql://someone:{PASSWORD}@127.0.0.1:{free_port()}/trades"
        self.names["wrong_dsn"] = f"mysql://someone:{PASSWORD}@127.0.0.1/trades"
        self._write("bad_toml", "[legacy\n")
        self._write("unknown_key", "[legacy]\nmood = 'embedded'\n")
        self._write("text", "this is a text, whatever its name says\n" * 40)
        self._write("bad_json", '{"name": "a", "request": {"method": "GET", "url": "/"}}\n{"name": \n')
        self._write("empty_har", json.dumps({"log": {"version": "1.2", "creator": {}, "entries": []}}))
        self._write("bad_waivers", "[[waiver]]\nid = 'x'\nsurprise = 1\n")
        self._write("session", json.dumps({"format_version": 1, "id": "s", "group": "root", "steps": [STEP]}))
        self._write("comma", '{"format_version": 1,\n "id": "s",\n "group": "g",\n}\n')
        self._write("no_version", json.dumps({"id": "s", "group": "root", "steps": [STEP]}))
        self._write("no_steps", json.dumps({"format_version": 1, "id": "s", "group": "root", "steps": []}))
        self._write("misspelt", json.dumps({"format_version": 1, "id": "s", "group": "root", "stepz": [STEP]}))
        unsaved = {"request": {"method": "GET", "url": "/{{id}}"}}
        self._write("unsaved", json.dumps({"format_version": 1, "id": "s", "group": "root", "steps": [unsaved]}))
        self._write("full/kept", "kept")
        for name in ("seed", "marked"):
            write_seed_database(self._place(name))
        mark_disposable_file(self._place("marked"))
        self._write_runs()

    def words(self, template: str) -> list[str]:
        """The words of a command line, filled in."""
        return [word.format(**self.names) for word in template.split()]

    def content(self) -> dict[str, bytes]:
        """Every file and folder by its name; SQLite's own shared memory aside."""
        found = (path for path in self.root.rglob("*") if not path.name.endswith(("-shm", "-wal")))
        return {str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else b"" for path in found}

    def _write_runs(self) -> None:
        for name in ("run", "corrupt", "cut", "foreign", "no_decision"):
            manifest = new_manifest(
                RunInputs(command=("parakeet",), environment="local", profile="quick"), datetime.now(UTC)
            )
            store = open_run(self._place(name), manifest)
            store.append_session(session_record())
            store.close()
        exchanges = self.root / "corrupt" / "exchanges.jsonl.gz"
        exchanges.write_bytes(b"\x1f\x8b" + b"\x00" * 60)
        whole = (self.root / "cut" / "exchanges.jsonl.gz").read_bytes()
        (self.root / "cut" / "exchanges.jsonl.gz").write_bytes(whole[: len(whole) // 2])
        manifest_file = self.root / "foreign" / "manifest.json"
        manifest_file.write_text(json.dumps({**json.loads(manifest_file.read_text()), "format_version": 99}))
        write_run(self._place("decided"), clean_content())

    def _place(self, name: str) -> Path:
        self.names[name] = str(self.root / name)
        return self.root / name

    def _write(self, name: str, text: str) -> None:
        path = self._place(name)
        if "/" in name:
            self.names[path.parent.name] = str(path.parent)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One for all cases: each leaves it as it was."""
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(made: World) -> Iterator[World]:
    """It, without what a failed case has written."""
    yield made
    shutil.rmtree(made.names["new"], ignore_errors=True)


@pytest.mark.parametrize("name", CASES)
def test_unusable_input_is_told_and_nothing_is_touched(
    world: World, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    command, code, words = CASES[name]
    before = world.content()
    ended = run(world.words(command))
    captured = capfd.readouterr()
    assert ended == code, captured
    assert world.content() == before
    assert all(word in "".join(captured.err.split()) for word in world.words(words)), captured.err
    assert "Traceback" not in captured.err and PASSWORD not in captured.out + captured.err
    is_of_usage = captured.err.startswith("Usage:")
    assert is_of_usage or "next:" in captured.err, captured.err


def test_an_unmarked_target_is_left_as_it_is(world: World, trades_dsn: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = asyncio.run(_dump(trades_dsn))
    arguments = world.words(f"{REPLAY} {STATE} --out {{new}} --target-dsn")
    assert run([*arguments, trades_dsn]) == USAGE
    assert "parakeet prepare" in capfd.readouterr().err
    assert asyncio.run(_dump(trades_dsn)) == before
    assert not Path(world.names["new"]).exists()


@pytest.mark.parametrize("command", ["migrate", "parity rows"])
def test_a_database_without_the_targets_tables_is_told(
    world: World, postgres_dsn: str, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = world.words(f"{command} --legacy-db {{seed}} --target-dsn")
    assert run([*arguments, postgres_dsn]) in {ExitCode.NO_GO, USAGE}
    captured = capfd.readouterr()
    assert "no table" in captured.err + captured.out or "trades" in captured.out
    assert "Traceback" not in captured.err
    assert asyncio.run(_dump(postgres_dsn)) == {}


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_legacy_that_finds_its_port_busy_is_told_with_its_own_words(
    world: World, tmp_path: Path, busy_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    code = f"import socket; socket.create_server(('127.0.0.1', {busy_port}))"
    command = json.dumps([sys.executable, "-c", code])
    config = tmp_path / "parakeet.toml"
    config.write_text(f"[legacy]\nmode = 'process'\nworking_directory = '{tmp_path}'\ncommand = {command}\n")
    assert run(["up", "--config", str(config), "--legacy-db", world.names["seed"]]) == UNAVAILABLE
    said = capfd.readouterr().err
    assert "Address already in use" in said and "next:" in said


async def _dump(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    async with connected(dsn) as connection:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return {name: [tuple(row) for row in await connection.fetch(f'SELECT * FROM "{name}"')] for (name,) in names}
