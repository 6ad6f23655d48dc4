"""Evidence survives a round trip and a cut-off tail, and says what is wrong with what it cannot read."""

import gzip
import json
import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from harness.adapters.evidence_files import load_manifest, load_records
from harness.adapters.evidence_store import EvidenceStore, open_run, resume_run
from harness.adapters.journal import FILE_NAME
from harness.domain.errors import ConfigurationError, EvidenceError
from harness.domain.evidence import EXCHANGES_FILE, MANIFEST_FILE, RunManifest
from harness.domain.exchange import Request, Side
from harness.domain.measurement import Measurement
from harness.domain.record import SessionRecord
from tests.builders.stored_records import CELLS, exchange, session_record

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MANIFEST = RunManifest(run_id="r", environment="local", profile="quick", commit="", started_at=NOW)


def stored(directory: Path, *records: SessionRecord) -> EvidenceStore:
    store = open_run(directory, MANIFEST)
    for record in records:
        store.append_session(record)
    return store


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    records = (session_record("a"), session_record("b", steps=1))
    store = stored(tmp_path / "run", *records)
    assert store.finished_sessions == {"a", "b"}
    store.finish(NOW)
    store.close()
    loaded = tuple(load_records(tmp_path / "run"))
    assert loaded == records
    after = loaded[0].steps[0].legacy_changes[0].after
    assert after is not None
    assert [(type(cell), repr(cell)) for cell in after] == [(type(cell), repr(cell)) for cell in CELLS]
    assert load_manifest(tmp_path / "run").finished_at == NOW


def test_every_session_is_a_readable_gzip_member_of_json_lines(tmp_path: Path) -> None:
    stored(tmp_path / "run", session_record("a"), session_record("b")).close()
    lines = gzip.decompress((tmp_path / "run" / EXCHANGES_FILE).read_bytes()).splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["session", *["exchange"] * 5, "end"] * 2


def test_a_cut_off_tail_is_dropped_on_resume(tmp_path: Path) -> None:
    store = stored(tmp_path / "run", session_record("a"))
    store.close()
    path = tmp_path / "run" / EXCHANGES_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with pytest.raises(EvidenceError, match="middle of a session"):
        list(load_records(tmp_path / "run"))
    resumed = resume_run(tmp_path / "run")
    assert resumed.finished_sessions == {"a"}
    resumed.append_session(session_record("b"))
    resumed.close()
    assert [record.session_id for record in load_records(tmp_path / "run")] == ["a", "b"]


def _append_for_ever(directory: Path, started: "multiprocessing.synchronize.Event") -> None:
    store = open_run(directory, MANIFEST)
    for number in range(100_000):
        store.append_session(session_record(f"s{number}", steps=40))
        if number == 3:
            started.set()


def test_kill_in_the_middle_loses_no_finished_session(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    child = context.Process(target=_append_for_ever, args=(tmp_path / "run", started))
    child.start()
    assert started.wait(60)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)
    resumed = resume_run(tmp_path / "run")
    count = len(resumed.finished_sessions)
    assert count >= 4
    resumed.append_session(session_record("last"))
    resumed.close()
    ids = [record.session_id for record in load_records(tmp_path / "run")]
    assert ids == [*(f"s{number}" for number in range(count)), "last"]


def test_exchanges_that_are_shorter_than_the_journal_says_are_refused(tmp_path: Path) -> None:
    stored(tmp_path / "run", session_record("a")).close()
    path = tmp_path / "run" / EXCHANGES_FILE
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(EvidenceError, match="where the journal says"):
        resume_run(tmp_path / "run")


def test_secrets_never_reach_the_disk_and_stay_comparable(tmp_path: Path) -> None:
    record = session_record("a")
    request = Request(method="POST", url="/x?token=sup3rsecret", headers=(("authorization", "Bearer sup3rsecret"),))
    pair = structs.replace(
        record.steps[0].pair,
        legacy=exchange(Side.LEGACY, b'{"token":"sup3rsecret"}', request=request),
        target=exchange(Side.TARGET, b'{"token":"sup3rsecret"}', headers=(("Set-Cookie", "s=sup3rsecret"),)),
    )
    store = stored(tmp_path / "run", replace(record, steps=(structs.replace(record.steps[0], pair=pair),)))
    store.finish(NOW)
    store.close()
    content = b"".join(path.read_bytes() for path in (tmp_path / "run").iterdir())
    content += gzip.decompress((tmp_path / "run" / EXCHANGES_FILE).read_bytes())
    assert b"sup3rsecret" not in content
    assert store.redactor.key.hex().encode() not in content, "the key must not outlive the run"
    (loaded,) = load_records(tmp_path / "run")
    legacy, target = loaded.steps[0].pair.legacy.response, loaded.steps[0].pair.target.response
    assert legacy is not None and target is not None and legacy.body == target.body


def test_a_resumed_run_hashes_secrets_alike(tmp_path: Path) -> None:
    store = stored(tmp_path / "run")
    store.close()
    assert resume_run(tmp_path / "run").redactor.secret("x") == store.redactor.secret("x")


def test_a_directory_with_content_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ConfigurationError, match="not empty"):
        open_run(tmp_path, MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigurationError, match="is a file"):
        open_run(tmp_path / "mine.txt", MANIFEST)


def test_a_missing_directory_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"no run directory.*--out"):
        list(load_records(tmp_path / "none"))


def test_a_run_of_another_version_is_refused(tmp_path: Path) -> None:
    stored(tmp_path / "run", session_record("a")).close()
    path = tmp_path / "run" / MANIFEST_FILE
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(EvidenceError, match="format 99"):
        list(load_records(tmp_path / "run"))


def test_exchanges_of_another_version_are_refused(tmp_path: Path) -> None:
    stored(tmp_path / "run", session_record("a")).close()
    path = tmp_path / "run" / EXCHANGES_FILE
    text = gzip.decompress(path.read_bytes()).replace(b'"format_version":1', b'"format_version":2')
    path.write_bytes(gzip.compress(text))
    with pytest.raises(EvidenceError, match="stored in format 2"):
        list(load_records(tmp_path / "run"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"not gzip at all", "damaged"),
        (lambda data: data[:40] + bytes([data[40] ^ 0xFF]) + data[41:], "damaged|not a stored|middle"),
        (lambda data: gzip.compress(b'{"kind":"end"}\n'), "not a stored exchange"),
        (
            lambda data: gzip.compress(b'{"kind":"end","session_id":"x","steps":0,"repeat":0}\n'),
            "belongs to no session",
        ),
        (lambda data: gzip.compress(gzip.decompress(data).split(b"\n", 2)[0] + b"\n"), "not complete"),
        (
            lambda data: gzip.compress(b"\n".join(gzip.decompress(data).split(b"\n")[i] for i in (0, 2, 3, 4, 5, 6))),
            "missing",
        ),
    ],
)
def test_damaged_exchanges_are_named(tmp_path: Path, damage: object, words: str) -> None:
    stored(tmp_path / "run", session_record("a")).close()
    path = tmp_path / "run" / EXCHANGES_FILE
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(EvidenceError, match=words) as raised:
        list(load_records(tmp_path / "run"))
    assert EXCHANGES_FILE in raised.value.where and raised.value.hint


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    stored(tmp_path / "run", session_record("a")).close()
    (tmp_path / "run" / FILE_NAME).write_bytes(b"garbage" * 1000)
    with pytest.raises(EvidenceError, match="journal"):
        resume_run(tmp_path / "run")


def test_other_files_appear_whole(tmp_path: Path) -> None:
    store = stored(tmp_path / "run")
    figure = Measurement(name="a.b", subject="legacy", value=1.5, unit="ms", samples=3)
    store.append_measurements([figure])
    store.append_measurements([figure])
    store.write_json("decision.json", {"decision": "GO"})
    store.mark_stage("replay")
    assert store.finished_stages == {"replay"}
    lines = (tmp_path / "run" / "measurements.jsonl").read_text().splitlines()
    assert [json.loads(line)["value"] for line in lines] == [1.5, 1.5]
    assert json.loads((tmp_path / "run" / "decision.json").read_text()) == {"decision": "GO"}
    assert not list((tmp_path / "run").glob(".*"))


def test_what_was_seen_of_a_cut_session_is_evidence_until_the_run_goes_on(tmp_path: Path) -> None:
    store = stored(tmp_path / "run", session_record("a"))
    store.append_cut({"b": store.encode(session_record("b", steps=1))})
    store.close()
    assert [record.session_id for record in load_records(tmp_path / "run")] == ["a", "b"]
    resumed = resume_run(tmp_path / "run")
    assert resumed.finished_sessions == {"a"}
    resumed.append_session(session_record("b"))
    resumed.close()
    assert [len(record.steps) for record in load_records(tmp_path / "run")] == [len(session_record("a").steps)] * 2


def test_a_run_goes_on_from_the_inputs_that_it_began_with_alone(tmp_path: Path) -> None:
    store = stored(tmp_path / "run", session_record("a"))
    store.bind_inputs("these")
    store.close()
    resumed = resume_run(tmp_path / "run")
    resumed.bind_inputs("these")
    with pytest.raises(EvidenceError, match="other inputs"):
        resumed.bind_inputs("those")
    resumed.close()
