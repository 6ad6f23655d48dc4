"""The files of pinned distributions: copied from the running environment where it holds the very same ones, else
installed by pip from their hashes."""

import base64
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath

from harness.domain.errors import ConfigurationError
from harness.staging.lock_file import Pin
from harness.staging.platforms import LambdaPlatform, running_platform

_INSTALLER_FILES = frozenset(("INSTALLER", "REQUESTED", "RECORD", "direct_url.json"))
_NOISE_DIRECTORIES = frozenset(("__pycache__", "tests"))
_NOISE_SUFFIXES = frozenset((".pyc", ".pyi", ".pyx", ".pxd", ".c", ".cpp", ".h", ".hpp"))
_PIP_TIMEOUT_S = 600


class Origin(StrEnum):
    """Where a distribution's files came from."""

    ENVIRONMENT = "copied from the running environment"
    PIP = "installed by pip"


def collect_distributions(pins: Sequence[Pin], into: Path, platform: LambdaPlatform | None = None) -> Origin:
    """Puts the files of all `pins` into `into`, without what a function never reads.

    Guarantees that every copied file has the hash that its distribution recorded, and that both origins
    give the same files. Needs no network if the running environment holds every pin.

    Raises:
        ConfigurationError: pip cannot install a pin, or a copied file was changed after its installation.
    """
    into.mkdir(parents=True, exist_ok=True)
    platform = platform or running_platform()
    # Our own environment holds what our own interpreter can load, and nothing of another one's.
    installed = [_find_installed(pin) if platform.is_running else None for pin in pins]
    if all(found is not None for found in installed):
        for found in installed:
            if found is not None:
                _copy(found, into)
        return Origin.ENVIRONMENT
    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        _install(pins, Path(scratch), platform)
        _copy_tree(Path(scratch), into)
    return Origin.PIP


def is_wanted(relative: PurePosixPath) -> bool:
    """False for tests, sources of extensions, stubs, scripts and the installer's own notes."""
    if relative.is_absolute() or ".." in relative.parts or relative.parts[0] == "bin":
        return False
    if _NOISE_DIRECTORIES & set(relative.parts[:-1]) or relative.suffix in _NOISE_SUFFIXES:
        return False
    return not (relative.parent.suffix == ".dist-info" and relative.name in _INSTALLER_FILES)


def _find_installed(pin: Pin) -> importlib.metadata.Distribution | None:
    try:
        found = importlib.metadata.distribution(pin.name)
    except importlib.metadata.PackageNotFoundError:
        return None
    is_editable = found.read_text("direct_url.json") is not None
    return found if found.version == pin.version and found.files and not is_editable else None


def _copy(distribution: importlib.metadata.Distribution, into: Path) -> None:
    for file in distribution.files or ():
        relative = PurePosixPath(file.as_posix())
        if not is_wanted(relative):
            continue
        content = Path(str(file.locate())).read_bytes()
        if file.hash is not None and _record_hash(file.hash.mode, content) != file.hash.value:
            hint = "Install the environment again: remove .venv and run `make install`."
            raise ConfigurationError("an installed file was changed", where=str(file.locate()), hint=hint)
        _write(into / relative, content)


def _record_hash(algorithm: str, content: bytes) -> str:
    digest = hashlib.new(algorithm, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _install(pins: Iterable[Pin], into: Path, platform: LambdaPlatform) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        lock = Path(scratch) / "lock.txt"
        lock.write_text("\n".join(pin.lines for pin in pins) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"]
        command += ["--target", str(into), "-r", str(lock)]
        if not platform.is_running:
            # Where there is no network, we must not wait for it at each start: ours are built then.
            command += ["--retries", "0", "--implementation", "cp"]
            command += ["--python-version", platform.runtime.removeprefix("python")]
            command += [word for tag in platform.wheel_tags() for word in ("--platform", tag)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            hint = "Check the network, or install the environment with `make install`, which needs none later."
            raise ConfigurationError(f"pip took longer than {error.timeout:g} s", where=str(into), hint=hint) from error
    if ended.returncode != 0:
        reason = "\n".join(ended.stderr.strip().splitlines()[-5:])
        hint = "Check the network, or install the environment with `make install`, which needs none later."
        raise ConfigurationError(f"pip cannot install the layer: {reason}", where=str(into), hint=hint)


def _copy_tree(source: Path, into: Path) -> None:
    for path in sorted(source.rglob("*")):
        relative = PurePosixPath(path.relative_to(source).as_posix())
        if path.is_file() and is_wanted(relative):
            (into / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, into / relative)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
