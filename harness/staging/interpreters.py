"""The interpreter of a Lambda runtime, where this machine has it."""

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache

_TIMEOUT_S = 20
_PROGRAM = "import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sys.executable)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python that artifacts are built for and run by; `runtime` is Lambda's name of its version."""

    path: str
    runtime: str
    cache_tag: str
    platform: str

    @property
    def is_running(self) -> bool:
        """True for the one that runs us, whose environment can be copied from."""
        return self.path == sys.executable


@cache
def running_interpreter() -> Interpreter:
    """The one that runs us."""
    return _interpreter(sys.executable, str(sys.implementation.cache_tag), sysconfig.get_platform())


@cache
def find_interpreter(runtime: str) -> Interpreter | None:
    """The interpreter of `runtime`, such as python3.12: ours, or one on PATH that starts and is of that version."""
    ours = running_interpreter()
    if ours.runtime == runtime:
        return ours
    path = shutil.which(runtime)
    found = _describe(path) if path else None
    return found if found and found.runtime == runtime else None


def _describe(path: str) -> Interpreter | None:
    # A name on PATH may be a version manager's stand-in for what is not installed: only a start tells.
    try:
        ended = subprocess.run(
            [path, "-I", "-S", "-c", _PROGRAM], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    tag, platform, real = ended.stdout.strip().split(" ", maxsplit=2)
    return _interpreter(real, tag, platform)


def _interpreter(path: str, tag: str, platform: str) -> Interpreter:
    version = tag.removeprefix("cpython-")
    return Interpreter(path=path, runtime=f"python{version[0]}.{version[1:]}", cache_tag=tag, platform=platform)
