"""The repository itself: what git keeps, what locks and workflows say, and the rules that no tool checks for us."""

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.commands import COMMANDS
from harness.domain.redaction import Redactor
from harness.wiring.rules import load_waivers
from scenarios.criteria import load_plan

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAX_LINES = 400
# Read by programs or made of many equal entries: their length says nothing of how they are read.
LONG_BY_NATURE = re.compile(
    r"^requirements/.*\.txt$|\.json$|\.ambr$|\.lock\.hcl$|^scenarios/(waivers|adequacy|criteria)\.toml$|-lock\."
)
# In pieces, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:" + "|".join(("ro" + "ot", "ho" + "me", "wo" + "rk")) + r")/\w")
REGISTRY_HOST = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "proxy" + r"\.golang")),
    re.I,
)
ACTION = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
WRITE_MAY_BE_GIVEN = {"id-token", "security-events", "pull-requests"}

needs_git = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="this is no git checkout"
)


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs git in the repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@cache
def tracked_texts() -> dict[str, str]:
    """Every tracked text file by its path."""
    names = [name for name in git("ls-files", "-z").stdout.split("\0") if (ROOT / name).is_file()]
    return {name: text for name in names if (text := _text(ROOT / name)) is not None}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@needs_git
@pytest.mark.parametrize(
    "path",
    [
        "target/settings.py", "target/edge/worker.js", "target/lib/new.py", "terraform/environments/prod.tfvars",
        "terraform/environments/new.auto.tfvars", ".env.example", "env/new.py", "harness/lib/new.py",
        "docs/build/new.md", "legacy_adapter/app/data/new.json", "scenarios/sessions/data/new.json", "bench/new.py",
    ],
)  # fmt: skip
def test_git_keeps_what_ships(path: str) -> None:
    assert git("check-ignore", "--no-index", "--verbose", path).stdout == ""


@needs_git
@pytest.mark.parametrize(
    "path",
    [".env", ".venv/x", ".venv-legacy/x", "artifacts/run/report.html", "data/trades.db", "terraform/.terraform/x",
     "terraform/terraform.tfstate", "harness/__pycache__/x.pyc"],
)  # fmt: skip
def test_git_leaves_out_what_is_made_or_secret(path: str) -> None:
    assert git("check-ignore", "--no-index", path).returncode == 0


def test_migrations_are_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists(), "it would shadow the library"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_pin_by_hash_and_name_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"https?://|file://|--(?:extra-)?index-url|--find-links|^-[ef]\b", text, re.M)
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    assert len(entries) > 2
    for entry in filter(None, entries):
        assert re.match(r"[\w.\[\],-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


@needs_git
def test_no_tracked_file_names_a_place_of_one_machine_or_a_registry() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tracked_texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line) or REGISTRY_HOST.search(line) or str(ROOT) + "/" in line
    ]
    assert found == []


@needs_git
def test_no_file_is_too_long_to_read() -> None:
    lengths = {name: text.count("\n") for name, text in tracked_texts().items() if not LONG_BY_NATURE.search(name)}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_the_import_contract_holds() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_ci_runs_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & stat.S_IXUSR
    assert "set -euo pipefail" in text
    commands = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert commands[-1] == "make test", "pytest's own summary is its last line, and its status the script's"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
class TestWorkflow:
    """Each workflow."""

    def test_it_gives_least_privilege(self, workflow: Path) -> None:
        document = load(workflow)
        granted = {"top": document["permissions"]}
        granted |= {name: job["permissions"] for name, job in document["jobs"].items() if "permissions" in job}
        assert set(document["permissions"].values()) <= {"read", "none"}, "a job asks for more where it needs it"
        for where, permissions in granted.items():
            assert isinstance(permissions, dict), f"{where}: named one by one"
            written = {name for name, access in permissions.items() if access == "write"}
            assert written <= WRITE_MAY_BE_GIVEN, where
        assert "pull_request_target" not in triggers(document), "it would run a stranger's code with our rights"

    def test_its_jobs_end(self, workflow: Path) -> None:
        for name, job in load(workflow)["jobs"].items():
            assert "uses" in job or 0 < job["timeout-minutes"] <= 120, name

    def test_its_actions_are_pinned_by_commit(self, workflow: Path) -> None:
        for step in steps(workflow):
            if "uses" in step and not step["uses"].startswith("./"):
                assert ACTION.match(step["uses"]), step["uses"]
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            if step.get("uses", "").startswith("actions/upload-artifact@"):
                assert step["with"]["if-no-files-found"] == "error", "no evidence is a failure"

    def test_no_text_of_a_stranger_reaches_a_shell(self, workflow: Path) -> None:
        for step in steps(workflow):
            script = step.get("run", "")
            assert not re.search(r"\$\{\{\s*(?:github\.(?:event|head_ref)|inputs)\b", script), script

    def test_the_commands_that_it_runs_exist(self, workflow: Path) -> None:
        plan = load_plan()
        for step in steps(workflow):
            script = step.get("run", "")
            assert set(re.findall(r"parakeet ([a-z]+)", script)) <= set(COMMANDS), script
            for wanted in re.findall(r"--criterion[ =](\S+)", script):
                assert plan.find_criteria(wanted), wanted
            targets = re.findall(r"^\s*make ([a-z-]+)", script, re.M)
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets), script


def load(workflow: Path) -> dict[Any, Any]:
    """The workflow's document."""
    document: dict[Any, Any] = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    return document


def triggers(document: dict[Any, Any]) -> set[str]:
    """What starts it; YAML 1.1 reads the key `on` as true."""
    return set(document.get("on", document.get(True)))


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    """The steps of all its jobs."""
    for job in load(workflow)["jobs"].values():
        yield from job.get("steps", ())


def test_there_is_a_workflow() -> None:
    assert "gate.yml" in {path.name for path in WORKFLOWS}


def test_no_waiver_expects_of_a_header_what_evidence_hides() -> None:
    redactor, expected = Redactor(key=bytes(32)), 0
    for waiver in load_waivers(ROOT / "scenarios" / "waivers.toml"):
        sides = () if waiver.expect is None else (waiver.expect.legacy, waiver.expect.target)
        for name, value in (pair for each in (*sides, waiver.match) for pair in each.headers.items()):
            assert redactor.headers(((name, str(value)),)) == ((name, str(value)),), waiver.id
            expected += 1
    assert expected
