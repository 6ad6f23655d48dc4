"""Builds what is deployed: one zip per function with our code, layers with what it depends on."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.staging.artifact_cache import ArtifactCache, BuiltArtifact
from harness.staging.interpreters import Interpreter
from harness.staging.layers import build_layer, build_runtime, read_layers
from harness.staging.platforms import LambdaPlatform, running_platform

MAX_UNZIPPED_BYTES = 262_144_000
_NOT_DEPLOYED = frozenset(("__pycache__", "edge", "tests", ".mypy_cache", ".ruff_cache"))
_BIGGEST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """What to build: the product's package, with a handler at `functions/<key>/handler.py`, and its layers' locks.

    A key's hyphens are underscores in the directory's name.
    """

    package: Path
    lock: Path
    cache: Path
    further_locks: tuple[Path, ...] = ()
    platform: LambdaPlatform = field(default_factory=running_platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifacts:
    """Everything that runs: functions and layers by key, and Lambda's own runtime."""

    functions: Mapping[str, BuiltArtifact]
    layers: Mapping[str, BuiltArtifact]
    runtime: BuiltArtifact
    platform: LambdaPlatform = field(default_factory=running_platform)

    @property
    def interpreter(self) -> Interpreter:
        """What runs them here; raises HarnessError if they were built for another machine."""
        return self.platform.require_interpreter()

    @property
    def runtime_directory(self) -> Path:
        """Where `awslambdaric` is found; not part of any deployment."""
        return self.runtime.root


def project_inputs(root: Path) -> BuildInputs:
    """The inputs of the checkout at `root`."""
    requirements = root / "requirements"
    return BuildInputs(
        package=root / "target",
        lock=requirements / "lambda.txt",
        cache=root / "artifacts" / ".cache" / "build",
        further_locks=tuple(sorted(requirements.glob("lambda-*.txt"))),
    )


def build_artifacts(inputs: BuildInputs) -> BuiltArtifacts:
    """Builds what is not built yet. The same inputs give the same bytes; only changed artifacts are built again.

    Raises:
        ConfigurationError: there is no function, the lock cannot be used, or an artifact is over Lambda's limit.
    """
    cache, platform = ArtifactCache(inputs.cache, inputs.platform), inputs.platform
    layers = read_layers(inputs.lock, inputs.further_locks)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as builders:
        building = {layer.name: builders.submit(build_layer, cache, layer, platform) for layer in layers}
        writing = {
            key: builders.submit(_build_function, cache, inputs.package, key) for key in list_functions(inputs.package)
        }
        artifacts = BuiltArtifacts(
            functions={key: built.result() for key, built in writing.items()},
            layers={key: built.result() for key, built in building.items()},
            runtime=build_runtime(cache, inputs.lock, platform),
            platform=platform,
        )
    for function in artifacts.functions.values():
        require_within_limit([function, *artifacts.layers.values()])
    return artifacts


def list_functions(package: Path) -> tuple[str, ...]:
    """Keys of the functions that have a handler.

    Raises:
        ConfigurationError: there is none.
    """
    found = tuple(sorted(_key_of(path.parent.name) for path in package.glob("functions/*/handler.py")))
    if not found:
        hint = "A function is a directory with a handler.py below functions/."
        raise ConfigurationError("there is no function to build", where=str(package / "functions"), hint=hint)
    return found


def publish_artifacts(artifacts: BuiltArtifacts, directory: Path) -> tuple[Path, ...]:
    """Puts the zips where Terraform expects them: `functions/<key>.zip` and `layers/<key>.zip`."""
    kinds = {"functions": artifacts.functions, "layers": artifacts.layers}
    return tuple(
        _publish(artifact, directory / kind / f"{key}.zip")
        for kind, group in kinds.items()
        for key, artifact in group.items()
    )


def require_within_limit(artifacts: Sequence[BuiltArtifact], limit_bytes: int = MAX_UNZIPPED_BYTES) -> None:
    """Raises ConfigurationError if a function with its layers is over Lambda's limit; names the biggest packages."""
    total = sum(artifact.unzipped_bytes for artifact in artifacts)
    if total <= limit_bytes:
        return
    packages = [item for artifact in artifacts for item in artifact.bytes_by_package.items()]
    biggest = sorted(packages, key=lambda item: -item[1])[:_BIGGEST_SHOWN]
    named = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in biggest)
    what = f"unzipped it has {total:,} bytes, Lambda takes {limit_bytes:,}; the biggest packages: {named}"
    hint = "Take what the function doesn't need out of requirements/lambda*.in, then `make lock`."
    raise ConfigurationError(what, where=" + ".join(artifact.name for artifact in artifacts), hint=hint)


def _build_function(cache: ArtifactCache, package: Path, key: str) -> BuiltArtifact:
    sources = [path for path in _list_sources(package) if _belongs_to(path.relative_to(package), key)]
    digest = hashlib.sha256()
    for path in sources:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(package.parent).as_posix()}\0{content}\n".encode())

    def fill(staged: Path) -> str:
        for path in sources:
            copy = staged / path.relative_to(package.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        return f"{len(sources)} source files"

    return cache.get_or_build(key, digest.hexdigest(), fill)


def _list_sources(package: Path) -> list[Path]:
    found: list[Path] = []
    for directory, names, files in os.walk(package):
        names[:] = sorted(name for name in names if name not in _NOT_DEPLOYED)
        found += [Path(directory) / name for name in sorted(files) if not name.endswith(".pyc")]
    return found


def _belongs_to(relative: Path, key: str) -> bool:
    """True unless it is another function's own directory."""
    is_functions_own = relative.parts[0] == "functions" and len(relative.parts) > 2
    return not is_functions_own or _key_of(relative.parts[1]) == key


def handler_paths(package: Path) -> dict[str, str]:
    """The handler of each function by its key, as Python names it."""
    directories = {_key_of(path.parent.name): path.parent.name for path in package.glob("functions/*/handler.py")}
    return {key: f"{package.name}.functions.{name}.handler.handler" for key, name in sorted(directories.items())}


def _key_of(directory: str) -> str:
    """Deployed names have hyphens where a Python package has underscores."""
    return directory.replace("_", "-")


def _publish(artifact: BuiltArtifact, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = path.with_suffix(f".{os.getpid()}.incoming")
    shutil.copyfile(artifact.zip_path, incoming)
    incoming.replace(path)
    return path
