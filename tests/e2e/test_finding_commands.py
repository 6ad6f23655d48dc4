"""`selftest`, `waivers` and `replay --finding` from the outside."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.adapters.evidence_store import open_run
from harness.cli import run
from harness.wiring.manifest import RunInputs, new_manifest
from tests.builders.records import answer, insert, session, step
from tests.builders.small_pair import JSON_HEADERS, Servers

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
WAIVER = """
[[waiver]]
id = "{id}"
quirk = "Q1"
reason = "Names are shouted."
owner = "backend lead"
expires_on = {day}
match = {{ operation = "GET /things/{{}}", pointers = ["/name"] }}
expect.legacy = {{ status = 200, body = {{ id = "$INTEGER", name = "{name}" }} }}
expect.target = {{ status = 200, body = {{ id = "$INTEGER", name = "re:[A-Z]+" }} }}
"""


def request(method: str, url: str, body: object = None, **more: object) -> dict[str, object]:
    sent: dict[str, object] = {"method": method, "url": url}
    if body is not None:
        sent |= {"json": body, "headers": JSON_HEADERS}
    return {"name": f"{method} {url}", "request": sent, **more}


def write_session(path: Path, *steps: dict[str, object]) -> str:
    path.write_text(json.dumps({"format_version": 1, "id": path.stem, "group": "things", "steps": list(steps)}))
    return str(path)


LIFE = (
    request("POST", "/things", {"name": "first"}, save={"first": "/id"}),
    request("GET", "/things"),
    request("POST", "/things", {"name": "new"}, save={"id": "/id"}),
    request("GET", "/time"),
    request("DELETE", "/things/{{first}}"),
    request("GET", "/things/{{id}}"),
    request("GET", "/things"),
)


def differences(out: Path) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in (out / "differences.jsonl").read_text().splitlines()]
    return [line for line in lines if line["outcome"] != "noisy"]


@pytest.fixture
def found(servers: Servers, tmp_path: Path) -> tuple[list[str], Path, dict[str, str]]:
    """Addresses of a pair, the run of a session on it, and the one thing found."""
    legacy, target = servers.start("--memory"), servers.start("--memory", "--defect", "upper")
    addresses = ["--legacy-url", legacy, "--target-url", target]
    out = tmp_path / "run"
    sessions = write_session(tmp_path / "life.json", *LIFE)
    assert run(["replay", *addresses, "--sessions", sessions, "--out", str(out)]) == 1
    (difference,) = differences(out)
    return addresses, out, difference


def test_a_finding_is_replayed_alone_and_shrunk_to_what_it_needs(
    found: tuple[list[str], Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses, out, difference = found
    capsys.readouterr()
    alone = ["replay", *addresses, "--finding", difference["id"], "--run", str(out)]
    assert run([*alone, "--out", str(tmp_path / "again")]) == 1
    (again,) = differences(tmp_path / "again")
    assert again["id"] == difference["id"], "the same place has the same id in every replay"
    assert "reproduced at step 6" in capsys.readouterr().out
    small = tmp_path / "small"
    assert run([*alone, "--shrink", "--out", str(small)]) == 1
    printed = capsys.readouterr().out
    assert "shrunk to 2 steps; " in printed and "legacy:  curl " in printed and "target:  curl " in printed
    document = json.loads((small / "session.json").read_text())
    assert [each["name"] for each in document["steps"]] == ["POST /things", "GET /things/{{id}}"]
    final = tmp_path / "final"
    assert run(["replay", *addresses, "--sessions", str(small / "session.json"), "--out", str(final)]) == 1
    assert [each["signature"] for each in differences(final)] == [difference["signature"]]


def test_a_stored_finding_is_shown_with_its_patch_and_nothing_is_written(
    found: tuple[list[str], Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, difference = found
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    capsys.readouterr()
    assert run(["compare", "--run", str(out), "--finding", difference["id"]]) == 1
    printed = capsys.readouterr().out
    assert '[{"op":"replace","path":"/name","value":"NEW"}]' in printed and difference["curl_target"] in printed
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert run(["compare", "--run", str(out), "--finding", "d0"]) == 2


def test_a_finding_that_is_gone_is_not_reproduced(
    found: tuple[list[str], Path, dict[str, str]], servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, difference = found
    repaired = ["--legacy-url", servers.start("--memory"), "--target-url", servers.start("--memory")]
    arguments = ["--finding", difference["id"], "--run", str(out), "--shrink", "--out", str(tmp_path / "again")]
    assert run(["replay", *repaired, *arguments]) == 0
    assert "not reproduced" in capsys.readouterr().out


def test_a_finding_that_cannot_be_replayed_is_refused_before_anything_is_written(
    found: tuple[list[str], Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses, out, difference = found
    new = tmp_path / "new"
    replay = ["replay", *addresses, "--out", str(new)]
    other = write_session(tmp_path / "other.json", *LIFE)
    cases = (
        (["--finding", "d0", "--run", str(out)], "there is no finding d0"),
        (["--finding", difference["id"]], "--run"),
        (["--shrink"], "--finding"),
        (["--finding", difference["id"], "--run", str(tmp_path / "absent")], "absent"),
        (["--finding", difference["id"], "--run", str(out), "--sessions", other], "there is no session life"),
    )
    for arguments, words in cases:
        assert run([*replay, *arguments]) == 2
        assert words in capsys.readouterr().err
    write_session(tmp_path / "life.json", *LIFE[:-1])
    assert run([*replay, "--finding", difference["id"], "--run", str(out)]) == 2
    assert "has changed since the run" in capsys.readouterr().err
    (tmp_path / "life.json").unlink()
    assert run([*replay, "--finding", difference["id"], "--run", str(out)]) == 2
    assert "--sessions" in capsys.readouterr().err
    assert not new.exists()


def test_waivers_are_listed_with_what_they_hide_expired_first(
    found: tuple[list[str], Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, difference = found
    file = tmp_path / "waivers.toml"
    file.write_text(WAIVER.format(id="shouting", day=TOMORROW, name="new"))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(["waivers", "--waivers", str(file), "--run", str(out)]) == 0
    printed = capsys.readouterr().out
    for words in ("shouting (Q1)", "1 day left", "1 hit", "Names are shouted.", difference["signature"], '"NEW"'):
        assert words in printed
    old = WAIVER.format(id="old", day="2020-01-01", name="new")
    file.write_text(WAIVER.format(id="shouting", day=TOMORROW, name="none") + old)
    assert run(["waivers", "--waivers", str(file), "--run", str(out)]) == 1
    printed = capsys.readouterr().out
    assert printed.index("old (Q1)") < printed.index("shouting (Q1)") and "EXPIRED" in printed
    assert "1 expired, 1 that hide nothing in this run" in printed
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "a listing writes nothing"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("owner", "ownr", "ownr"),
        (TOMORROW, '"soon"', "expires_on"),
        (TOMORROW, "2026-02-30", "TOML"),
        (', pointers = ["/name"]', "", "says nothing of /id"),
        ('name = "new"', 'name = "re:("', "regular expression"),
    ],
)
def test_a_malformed_waiver_is_a_usage_error(
    old: str, new: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "waivers.toml"
    text = WAIVER.format(id="a", day=TOMORROW, name="new").replace('"$INTEGER"', '"$ANY"')
    assert old in text
    file.write_text(text.replace(old, new))
    assert run(["waivers", "--waivers", str(file)]) == 2
    printed = capsys.readouterr().err
    assert words in printed and str(file) in printed and "next:" in printed


def test_our_own_waivers_are_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["waivers"]) == 0
    assert "0 expired" in capsys.readouterr().out


def test_planted_defects_are_found_in_a_run_and_what_a_waiver_hides_is_missed(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = ["--legacy-url", servers.start("--memory"), "--target-url", servers.start("--memory")]
    out = tmp_path / "run"
    sessions = write_session(tmp_path / "life.json", *LIFE)
    none = tmp_path / "none.toml"
    none.write_text("")
    assert run(["selftest", *addresses, "--sessions", sessions, "--out", str(out), "--waivers", str(none)]) == 0
    first = capsys.readouterr().out
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(["selftest", "--run", str(out), "--waivers", str(none), "--verbose"]) == 0
    verbose = capsys.readouterr().out
    assert "detected: text-case" in verbose and "/name" in verbose
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before, "nothing is written"
    table = first[first.rindex("┃ facet") : first.rindex("┘")]
    assert table in verbose, "the same run gives the same table"
    wide = tmp_path / "wide.toml"
    text = WAIVER.format(id="wide", day=TOMORROW, name="$TEXT").replace("re:[A-Z]+", "$STRING")
    wide.write_text(text.replace("GET /things/{}", "POST /things").replace("200", "201"))
    assert run(["selftest", "--run", str(out), "--waivers", str(wide)]) == 1
    printed = capsys.readouterr().out
    assert "missed: text-" in printed and "excused by waiver wide" in printed


def test_a_selftest_without_a_place_for_any_defect_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = session(step("refused", "refused"))
    out = stored(tmp_path / "run", silent)
    assert run(["selftest", "--run", str(out)]) == 3
    assert "0 of 0 defects" in capsys.readouterr().out


def stored(directory: Path, record: object) -> Path:
    inputs = RunInputs(command=("parakeet", "replay"), environment="local", profile="replay")
    store = open_run(directory, new_manifest(inputs, datetime.now(UTC)))
    store.append_session(record)  # type: ignore[arg-type]
    store.finish(datetime.now(UTC))
    store.close()
    return directory


@pytest.mark.parametrize("command", ["selftest", "waivers", "compare", "replay"])
@pytest.mark.parametrize("damage", ["cut", "corrupt", "foreign", "absent"])
def test_a_damaged_run_is_refused_and_left_as_it_is(
    command: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    if damage != "absent":
        stored(out, session(step(answer({"a": 1}), answer({"a": 1}), target_changes=(insert(1),))))
        path = out / ("manifest.json" if damage == "foreign" else "exchanges.jsonl.gz")
        data = path.read_bytes()
        foreign = data.replace(b'"format_version": 1', b'"format_version": 7')
        corrupt = data[:10] + bytes(byte ^ 255 for byte in data[10:14]) + data[14:]
        path.write_bytes({"cut": data[:-9], "corrupt": corrupt, "foreign": foreign}[damage])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    nobody = ["--legacy-url", "http://127.0.0.1:1", "--target-url", "http://127.0.0.1:1"]
    more = [*nobody, "--finding", "d1", "--out", str(tmp_path / "new")] if command == "replay" else []
    assert run([command, "--run", str(out), *more]) == 2
    printed = capsys.readouterr().err
    assert str(out) in printed and "next:" in printed
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps({"format_version": 1, "id": "s", "group": "g", "steps": [request("GET", "/x/{{id}}")]}), "{{id}}"),
        (json.dumps({"format_version": 9, "id": "s", "group": "g", "steps": []}), "format_version 9"),
        (gzip.compress(b'{"format_version": 1}')[:-5], "cannot read the session file"),
        (gzip.compress(b"{}")[:-8] + b"\0" * 8, "cannot read the session file"),
    ],
    ids=["unsaved", "version", "cut", "checksum"],
)
@pytest.mark.parametrize("command", ["replay", "selftest"])
def test_a_session_that_cannot_be_used_is_refused_before_anything_is_sent_or_written(
    command: str, content: str | bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    nobody = ["--legacy-url", "http://127.0.0.1:1", "--target-url", "http://127.0.0.1:1"]
    assert run([command, *nobody, "--sessions", str(path), "--out", str(tmp_path / "new")]) == 2
    printed = capsys.readouterr().err
    assert words in printed and str(path) in printed and "next:" in printed
    assert [found.name for found in tmp_path.iterdir()] == ["s.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["selftest"],
        ["selftest", "--legacy-url", "http://127.0.0.1:1", "--out", "new"],
        ["selftest", "--run", "run", "--out", "new"],
        ["waivers", "--waivers", "absent.toml"],
        ["waivers", "--config", "absent.toml"],
        ["selftest", "--run", "run", "--config", "absent.toml"],
    ],
)
def test_options_that_do_not_fit_are_a_usage_error(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    assert "next:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_description_is_refused_before_findings_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = stored(tmp_path / "run", session(step(answer({}), answer({}))))
    (out / "openapi.json").write_bytes(b"{")
    assert run(["compare", "--run", str(out)]) == 2
    assert "openapi.json" in capsys.readouterr().err
    assert not (out / "comparisons.jsonl").exists()


def test_comparing_redacted_values_says_that_they_support_equality_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = answer({"access_token": "s3cret-s3cret", "state": "ok"})
    other = answer({"access_token": "another-secret", "state": "ok"})
    out = stored(tmp_path / "run", session(step(token, token), step(token, other, n=1)))
    assert b"s3cret" not in gzip.decompress((out / "exchanges.jsonl.gz").read_bytes())
    assert run(["compare", "--run", str(out)]) == 1
    (difference,) = differences(out)
    assert difference["pointer"] == "/access_token" and str(difference["step"]) == "1"
    printed = capsys.readouterr().err
    assert "support equality only" in printed and "body /access_token" in printed
