"""Functions run as tasks of a Dask scheduler: one that is there already, or one of our own on loopback."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from harness.child import Child
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable

_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
_START_TIMEOUT_S = 120.0
_ANSWER_TIMEOUT_S = 15.0
"""For a scheduler that is there already."""
_POLL_S = 0.05

_Argument = TypeVar("_Argument")
_Outcome = TypeVar("_Outcome")


class DaskCluster:
    """Runs functions that the workers can import, with arguments that can be pickled."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def address(self) -> str:
        """The scheduler's."""
        return str(self._client.scheduler.address)

    async def run(self, function: Callable[[_Argument], _Outcome], argument: _Argument) -> _Outcome:
        """What the function returns or raises; a task whose worker dies is run again elsewhere.

        Raises:
            ConfigurationError: the workers know other code than we do.
            SystemUnavailable: the cluster lost the task.
        """
        task = self._client.submit(function, argument, pure=False)
        try:
            outcome: _Outcome = await task
        except HarnessError:
            raise
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            raise told from error
        finally:
            task.release()
        return outcome


def _told(error: Exception) -> HarnessError | None:
    """What Dask itself says, as an error of ours; None for all else."""
    if isinstance(error, RuntimeError) and "different environments" in str(error):
        hint = "Start its scheduler and workers in an environment with this version of the project."
        return ConfigurationError("the Dask cluster has another environment than we have", hint=hint)
    if type(error).__module__.startswith("distributed"):
        hint = "Look at the logs of its workers."
        return SystemUnavailable(f"the Dask cluster lost a task: {error}", hint=hint)
    return None


@asynccontextmanager
async def dask_cluster(scheduler: str | None, *, workers: int) -> AsyncIterator[DaskCluster]:
    """A cluster to run tasks on. Without the address of a scheduler it is our own, of as many processes as `workers`.

    Our own listens on loopback only and ends with the context, or with us.

    Raises:
        ConfigurationError: Dask is not installed.
        SystemUnavailable: the scheduler does not answer, or no worker does.
    """
    distributed = _import_distributed()
    if scheduler is not None:
        async with _connected(distributed, scheduler, workers=1, timeout_s=_ANSWER_TIMEOUT_S) as client:
            yield DaskCluster(client)
        return
    with tempfile.TemporaryDirectory(prefix="parakeet-dask-", ignore_cleanup_errors=True) as directory:
        children: list[Child] = []
        try:
            address = await _start(Path(directory), workers, children)
            async with _connected(distributed, address, workers=workers, timeout_s=_START_TIMEOUT_S) as client:
                yield DaskCluster(client)
        finally:
            for child in reversed(children):
                child.kill()  # they hold nothing that has to be kept


async def _start(directory: Path, workers: int, children: list[Child]) -> str:
    told = directory / "scheduler.json"
    children.append(_child(directory, "scheduler", "--port", "0", "--scheduler-file", str(told)))
    for number in range(workers):
        more = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--local-directory", str(directory))
        children.append(_child(directory, "worker", "--scheduler-file", str(told), *more, number=number))
    async with asyncio.timeout(_START_TIMEOUT_S):
        while not told.exists() or not (text := told.read_text(encoding="utf-8")).strip().endswith("}"):
            _require_alive(children)
            await asyncio.sleep(_POLL_S)
    return str(json.loads(text)["address"])


def _child(directory: Path, role: str, *options: str, number: int = 0) -> Child:
    argv = [sys.executable, "-m", f"distributed.cli.dask_{role}", *_LOOPBACK, *options]
    environment = {**os.environ, "DASK_TEMPORARY_DIRECTORY": str(directory)}
    log_path = directory / f"{role}-{number}.log"
    return Child.start(argv, name=f"Dask {role}", log_path=log_path, cwd=directory, env=environment)


def _require_alive(children: list[Child]) -> None:
    for child in children:
        if child.exit_status is not None:
            hint = "Check that Dask is installed whole: make install."
            raise SystemUnavailable(f"{child.name} ended at once: {child.tail(3)}", hint=hint)


@asynccontextmanager
async def _connected(distributed: Any, address: str, *, workers: int, timeout_s: float) -> AsyncIterator[Any]:
    try:
        client = await distributed.Client(address, asynchronous=True, timeout=timeout_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        hint = "Give the address that the scheduler printed, such as tcp://127.0.0.1:8786."
        raise SystemUnavailable(f"the Dask scheduler does not answer: {error}", where=address, hint=hint) from error
    try:
        await _wait_for_workers(client, address, workers, timeout_s)
        yield client
    finally:
        await client.close()


async def _wait_for_workers(client: Any, address: str, workers: int, timeout_s: float) -> None:
    try:
        await client.wait_for_workers(workers, timeout=timeout_s)
    except TimeoutError as error:
        hint = "Start `dask worker ADDRESS` in an environment that has this project installed."
        raise SystemUnavailable("the Dask scheduler has no worker", where=address, hint=hint) from error


def _import_distributed() -> Any:
    try:
        import distributed  # noqa: PLC0415 - an optional extra, and slow to import
    except ImportError as error:
        hint = "Install the extra: pip install 'parakeet-migration[dask]', or make install."
        raise ConfigurationError("Dask is not installed", hint=hint) from error
    return distributed
