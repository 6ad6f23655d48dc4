"""The build: reproducible, cached, safe in parallel, within Lambda's limits."""

import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from harness.domain.errors import ConfigurationError, HarnessError
from harness.staging.artifact_cache import ArtifactCache
from harness.staging.build import (
    BuildInputs,
    BuiltArtifacts,
    build_artifacts,
    publish_artifacts,
    require_within_limit,
)
from harness.staging.distributions import Origin, collect_distributions, is_wanted
from harness.staging.interpreters import Interpreter, find_interpreter, running_interpreter
from harness.staging.lock_file import Pin, read_lock
from harness.staging.platforms import LambdaPlatform, local_architecture, platform_of, running_platform
from harness.wiring import packages
from tests.builders.lambda_cloud import lock_of


@pytest.fixture
def inputs(tmp_path: Path) -> BuildInputs:
    """A package with two functions, shared code, data, and what must not be deployed."""
    files = {
        "functions/__init__.py": "",
        "functions/one/handler.py": "from product.shared import VALUE\ndef handler(e, c):\n    return VALUE\n",
        "functions/two/handler.py": "NAMES = {'b', 'a', 'c'}\n\n\ndef handler(event, context):\n    return 2\n",
        "shared.py": "VALUE = frozenset(('x', 'y', 'z'))\n",
        "universe.json": "[]",
        "tests/test_shared.py": "",
        "edge/worker.js": "",
        "__pycache__/shared.cpython-311.pyc": "stale",
    }
    for name, text in files.items():
        path = tmp_path / "product" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    lock = tmp_path / "lock.txt"
    lock.write_text(lock_of("typing-extensions"), encoding="utf-8")
    return BuildInputs(package=tmp_path / "product", lock=lock, cache=tmp_path / "cache")


def _names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as source:
        return source.namelist()


def test_a_function_has_its_own_code_and_what_is_shared(inputs: BuildInputs) -> None:
    tag = sys.implementation.cache_tag

    names = _names(build_artifacts(inputs).functions["one"].zip_path)

    assert set(names) == {
        f"product/__pycache__/shared.{tag}.pyc",
        f"product/functions/__pycache__/__init__.{tag}.pyc",
        f"product/functions/one/__pycache__/handler.{tag}.pyc",
        "product/functions/__init__.py",
        "product/functions/one/handler.py",
        "product/shared.py",
        "product/universe.json",
    }
    assert names == sorted(names)


def test_a_layer_is_below_python_without_notes_of_the_installer(inputs: BuildInputs) -> None:
    names = _names(build_artifacts(inputs).layers["dependencies"].zip_path)

    assert "python/typing_extensions.py" in names
    assert all(name.startswith("python/") for name in names)
    assert not [name for name in names if name.endswith(("RECORD", "INSTALLER"))]


def test_a_layer_leaves_out_what_its_file_says_but_for_what_is_kept(inputs: BuildInputs) -> None:
    patterns = "# all notes but one\n*.dist-info/*\n!*/METADATA\n"
    inputs.lock.with_suffix(".without").write_text(patterns, encoding="utf-8")

    names = _names(build_artifacts(inputs).layers["dependencies"].zip_path)

    assert {name.rpartition("/")[2] for name in names if ".dist-info/" in name} == {"METADATA"}
    assert "python/typing_extensions.py" in names


def test_equal_inputs_give_equal_bytes_elsewhere_and_later(inputs: BuildInputs, tmp_path: Path) -> None:
    first = build_artifacts(inputs)
    for path in inputs.package.rglob("*"):
        path.touch()
    second = build_artifacts(replace(inputs, cache=tmp_path / "another" / "place"))

    assert _hashes(first) == _hashes(second)


def test_the_second_build_does_nothing(inputs: BuildInputs) -> None:
    build_artifacts(inputs)
    before = sorted(inputs.cache.rglob("*"))

    started = time.perf_counter()
    build_artifacts(inputs)

    assert time.perf_counter() - started < 1
    assert sorted(inputs.cache.rglob("*")) == before


def test_a_changed_source_changes_its_functions_and_not_the_layer(inputs: BuildInputs) -> None:
    first = build_artifacts(inputs)
    (inputs.package / "functions" / "one" / "handler.py").write_text("def handler(e, c): ...\n", encoding="utf-8")
    second = build_artifacts(inputs)

    assert first.functions["one"].sha256 != second.functions["one"].sha256
    assert first.functions["two"] == second.functions["two"]
    assert first.layers == second.layers


def test_builds_at_the_same_time_agree(inputs: BuildInputs) -> None:
    with ThreadPoolExecutor(4) as workers:
        built = list(workers.map(lambda _: build_artifacts(inputs), range(4)))

    assert all(artifacts == built[0] for artifacts in built)
    assert not list(inputs.cache.glob(".building-*"))


def test_zips_carry_no_time_of_their_own(inputs: BuildInputs) -> None:
    with zipfile.ZipFile(build_artifacts(inputs).functions["one"].zip_path) as source:
        assert {entry.date_time for entry in source.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in source.infolist()} == {0o100644}


def test_shipped_bytecode_runs_without_a_look_at_its_source(inputs: BuildInputs, tmp_path: Path) -> None:
    root = build_artifacts(inputs).functions["one"].root
    copy = tmp_path / "task"
    subprocess.run(["cp", "-r", str(root), str(copy)], check=True, timeout=30)
    (copy / "product" / "shared.py").write_text("VALUE = 'changed'\n", encoding="utf-8")

    program = "from product.functions.one.handler import handler; print(sorted(handler(None, None)))"
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=copy, capture_output=True, text=True, check=True, timeout=30
    )

    assert ended.stdout.strip() == "['x', 'y', 'z']"


def test_published_zips_lie_where_terraform_looks(inputs: BuildInputs, tmp_path: Path) -> None:
    artifacts = build_artifacts(inputs)

    published = publish_artifacts(artifacts, tmp_path / "out")

    assert [path.relative_to(tmp_path / "out").as_posix() for path in published] == [
        "functions/one.zip",
        "functions/two.zip",
        "layers/dependencies.zip",
    ]
    assert published[0].read_bytes() == artifacts.functions["one"].zip_path.read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(
        path.name for path in published
    )


def test_over_the_limit_the_biggest_packages_are_named(inputs: BuildInputs) -> None:
    artifacts = build_artifacts(inputs)

    with pytest.raises(ConfigurationError, match=r"the biggest packages: typing_extensions 0\.4 MB"):
        require_within_limit([artifacts.functions["one"], artifacts.layers["dependencies"]], limit_bytes=1000)


def test_a_package_without_functions_is_refused(inputs: BuildInputs, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no function"):
        build_artifacts(replace(inputs, package=tmp_path / "nothing"))


def test_an_installed_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    info = site / "meddled-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "meddled.py").write_text("changed = True\n", encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: meddled\nVersion: 1.0\n", encoding="utf-8")
    record = "meddled.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nmeddled-1.0.dist-info/METADATA,,\n"
    (info / "RECORD").write_text(record, encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))

    with pytest.raises(ConfigurationError, match="was changed"):
        collect_distributions([Pin(name="meddled", version="1.0", lines="")], tmp_path / "into")


def test_an_environment_with_the_very_pins_needs_no_network(inputs: BuildInputs, tmp_path: Path) -> None:
    assert collect_distributions(read_lock(inputs.lock), tmp_path / "into") is Origin.ENVIRONMENT


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("package/module.py", True),
        ("package/data/service.json.gz", True),
        ("package/_speedups.cpython-311-x86_64-linux-gnu.so", True),
        ("package-1.0.dist-info/METADATA", True),
        ("package-1.0.dist-info/RECORD", False),
        ("package/tests/test_module.py", False),
        ("package/testing/tools.py", True),
        ("package/__pycache__/module.cpython-311.pyc", False),
        ("package/module.pyi", False),
        ("package/_speedups.c", False),
        ("../../../bin/tool", False),
        ("bin/tool", False),
    ],
)
def test_what_a_function_never_reads_stays_out(path: str, wanted: bool) -> None:
    assert is_wanted(PurePosixPath(path)) is wanted


def _hashes(artifacts: BuiltArtifacts) -> dict[str, str]:
    everything = {**artifacts.functions, **artifacts.layers, "runtime": artifacts.runtime}
    return {name: artifact.sha256 for name, artifact in everything.items()}


def _other_interpreter() -> Interpreter | None:
    ours = running_interpreter().runtime
    found = (find_interpreter(f"python3.{minor}") for minor in range(11, 15) if f"python3.{minor}" != ours)
    return next((other for other in found if other), None)


def test_another_interpreters_artifacts_are_compiled_by_it_and_keyed_apart(inputs: BuildInputs) -> None:
    other = _other_interpreter()
    if other is None:
        pytest.skip("no other interpreter from python3.11 to python3.14 is on PATH")
    ours = ArtifactCache(inputs.cache).get_or_build("one", "same inputs", _write_module)
    theirs = ArtifactCache(inputs.cache, platform_of(other)).get_or_build("one", "same inputs", _write_module)
    assert ours.root != theirs.root
    assert [path.suffixes[0] for path in theirs.root.rglob("*.pyc")] == [f".{other.cache_tag}"]


def _write_module(staged: Path) -> str:
    (staged / "module.py").write_text("x = 1\n", encoding="utf-8")
    return "one module"


@pytest.mark.parametrize(
    "script", ["#!/bin/sh\necho not installed >&2\nexit 127\n", "#!/bin/sh\necho cpython-399 x y\n"]
)
def test_a_name_on_path_that_is_not_that_python_counts_as_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    (tmp_path / "python3.98").write_text(script, encoding="utf-8")
    (tmp_path / "python3.98").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    find_interpreter.cache_clear()
    assert find_interpreter("python3.98") is None
    assert find_interpreter(running_interpreter().runtime) == running_interpreter()


def test_without_the_declared_runtime_it_is_built_for_ours_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: BuildInputs
) -> None:
    monkeypatch.setattr(packages, "project_inputs", lambda _: inputs)
    monkeypatch.setattr(packages, "_declared_runtime", lambda _: "python3.97")
    told: list[str] = []

    artifacts = packages.build_project(tmp_path, told.append)

    assert artifacts.interpreter == running_interpreter()
    assert told == [
        f"python3.97 is not on PATH: built for {artifacts.interpreter.runtime}, which is not what is deployed"
    ]


def test_where_its_packages_cannot_be_had_ours_are_built_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: BuildInputs
) -> None:
    absent = Interpreter(path="/nowhere/python", runtime="python3.97", cache_tag="cpython-397", platform="none")
    monkeypatch.setattr(packages, "project_inputs", lambda _: inputs)
    monkeypatch.setattr(packages, "_declared_runtime", lambda _: absent.runtime)
    monkeypatch.setattr(packages, "find_interpreter", lambda _: absent)

    def build(wanted: BuildInputs) -> object:
        if wanted.platform.interpreter == absent:
            raise ConfigurationError("pip cannot install the layer: no network")
        return build_artifacts(wanted)

    monkeypatch.setattr(packages, "build_artifacts", build)
    told: list[str] = []
    assert packages.build_project(tmp_path, told.append).interpreter == running_interpreter()
    assert "python3.97" in told[0]
    assert "no network" in told[0]


def test_a_foreign_processor_has_its_own_artifacts_with_our_bytecode(inputs: BuildInputs) -> None:
    foreign = "arm64" if local_architecture() != "arm64" else "x86_64"
    platform = replace(running_platform(), architecture=foreign)

    ours, theirs = build_artifacts(inputs), build_artifacts(replace(inputs, platform=platform))

    assert ours.functions["one"].root != theirs.functions["one"].root
    assert _names(ours.functions["one"].zip_path) == _names(theirs.functions["one"].zip_path)
    with pytest.raises(HarnessError, match="cannot be run here"):
        _ = theirs.interpreter


def test_without_its_interpreter_a_runtime_gets_source_alone(inputs: BuildInputs) -> None:
    platform = LambdaPlatform(runtime="python3.12", architecture=local_architecture(), interpreter=None)

    built = build_artifacts(replace(inputs, platform=platform))

    assert not [name for name in _names(built.functions["one"].zip_path) if name.endswith(".pyc")]


def test_wheels_are_asked_for_no_newer_than_the_runtimes_system() -> None:
    old = LambdaPlatform(runtime="python3.11", architecture="arm64", interpreter=None).wheel_tags()
    new = LambdaPlatform(runtime="python3.12", architecture="x86_64", interpreter=None).wheel_tags()

    assert (old[0], old[-1]) == ("manylinux_2_26_aarch64", "manylinux2014_aarch64")
    assert new[0] == "manylinux_2_34_x86_64"
