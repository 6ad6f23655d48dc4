"""What artifacts are built for: a Lambda runtime on a processor, whether or not this machine can run it."""

import platform
from dataclasses import dataclass
from functools import cache

from harness.domain.errors import HarnessError
from harness.staging.interpreters import Interpreter, running_interpreter

ARCHITECTURES = ("x86_64", "arm64")
_MACHINES = {"arm64": "aarch64"}
# Up to Python 3.11 the runtimes stand on Amazon Linux 2 (glibc 2.26), from 3.12 on Amazon Linux 2023 (glibc 2.34).
# Source: AWS Lambda Developer Guide, "Lambda runtimes".
_GLIBC_MINORS = {"python3.11": 26}
_GLIBC_MINOR = 34
_OLDEST_GLIBC_MINOR = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaPlatform:
    """Lambda's names of a runtime and a processor.

    `interpreter` is one of that runtime on this machine; bytecode is compiled by it, and without it none ships.
    """

    runtime: str
    architecture: str
    interpreter: Interpreter | None

    @property
    def is_running(self) -> bool:
        """True if it is ours: packages of the environment that we run in can be taken, and what is built runs here."""
        return self.interpreter is not None and self.interpreter.is_running and self.is_local

    @property
    def is_local(self) -> bool:
        """True if what is built for it can be run here."""
        return self.interpreter is not None and self.architecture == local_architecture()

    @property
    def key(self) -> str:
        """Tells its artifacts from those of others."""
        if self.interpreter is None:
            return f"{self.runtime} {self.architecture} source"
        if self.is_local:
            return f"{self.interpreter.cache_tag} {self.interpreter.platform}"
        return f"{self.interpreter.cache_tag} {self.architecture}"

    def require_interpreter(self) -> Interpreter:
        """The interpreter.

        Raises:
            HarnessError: there is none, or it cannot run what is built for this processor.
        """
        if self.interpreter is None or not self.is_local:
            raise HarnessError(f"artifacts for {self.runtime} on {self.architecture} cannot be run here")
        return self.interpreter

    def wheel_tags(self) -> tuple[str, ...]:
        """What pip calls the systems whose packages run there, the newest first."""
        newest = _GLIBC_MINORS.get(self.runtime, _GLIBC_MINOR)
        machine = _MACHINES.get(self.architecture, self.architecture)
        minors = range(newest, _OLDEST_GLIBC_MINOR - 1, -1)
        return (*(f"manylinux_2_{minor}_{machine}" for minor in minors), f"manylinux2014_{machine}")


@cache
def running_platform() -> LambdaPlatform:
    """The one that we run on."""
    return platform_of(running_interpreter())


def platform_of(interpreter: Interpreter) -> LambdaPlatform:
    """The platform of an interpreter of this machine."""
    return LambdaPlatform(runtime=interpreter.runtime, architecture=local_architecture(), interpreter=interpreter)


def local_architecture() -> str:
    """Lambda's name of this machine's processor."""
    machine = platform.machine()
    return next((name for name, known in _MACHINES.items() if known == machine), machine)
