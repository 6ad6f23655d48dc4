"""Facts about a run that its manifest states: versions, commit, machine, hashes."""

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DECIDING_PACKAGES = ("aiohttp", "asyncpg", "msgspec", "orjson", "yarl")
_UNKNOWN = "unknown"


def versions() -> dict[str, str]:
    """Versions of the harness, Python, and the libraries that decide what is sent and compared."""
    return {
        "parakeet-migration": _package_version("parakeet-migration"),
        "python": platform.python_version(),
        **{name: _package_version(name) for name in _DECIDING_PACKAGES},
    }


def commit(directory: Path) -> str:
    """The checkout's commit, or nothing outside a checkout."""
    return _git(directory, "rev-parse", "HEAD")


def is_dirty(directory: Path) -> bool:
    """True where the checkout has uncommitted changes."""
    return bool(_git(directory, "status", "--porcelain", "--untracked-files=no"))


def machine() -> dict[str, str]:
    """What the figures of a run depend on; no host name and no user."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpus": str(os.cpu_count() or 0),
        "memory_mb": str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20),
    }


def sha256_of_files(paths: Iterable[Path | None]) -> str:
    """One hash over the files' names and contents, in order; empty where there are none."""
    digest, count = hashlib.sha256(), 0
    for path in paths:
        if path is not None and path.is_file():
            data = path.read_bytes()
            digest.update(f"{path.name}\0{len(data)}\0".encode() + data)
            count += 1
    return digest.hexdigest() if count else ""


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return _UNKNOWN


def _git(directory: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    try:
        done = subprocess.run([git, "-C", str(directory), *arguments], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""
