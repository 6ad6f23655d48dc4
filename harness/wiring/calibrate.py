"""Asks the local cloud and another one the same questions, and certifies what is the same."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from harness.adapters.evidence_store import write_atomically
from harness.adapters.http import HttpSide, utc_now
from harness.domain.cloud import CloudDefinition, FunctionDefinition, RouteDefinition
from harness.domain.errors import ConfigurationError, unwritable
from harness.domain.exchange import Response, Side
from harness.domain.fidelity import Behaviour, Certificate, read_parts
from harness.domain.phase import LOCAL_ENVIRONMENT
from harness.settings import FILE_NAME, Settings, project_root
from harness.staging.build import BuildInputs, BuiltArtifacts, build_artifacts, project_inputs
from harness.staging.fidelity_cases import PROBE_KEY, PROBE_PACKAGE, FidelityCase, fidelity_cases
from harness.staging.interpreters import running_interpreter
from harness.staging.stack import LocalCloud
from harness.wiring.manifest import current_commit
from harness.wiring.paths import artifacts_directory
from harness.wiring.runtime import runtime_directory

_MEMORY_MB = 256
_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """The certificate and where it was written."""

    certificate: Certificate
    files: tuple[Path, ...]


async def calibrate(
    environment: str, settings: Settings, out: Path | None, tell: Callable[[str], None] = lambda _: None
) -> Calibrated:
    """Compares the local cloud with the probe function of `environment`; for `local`, with a second local cloud.

    Raises:
        ConfigurationError: the environment is unknown or has no `probe_url`.
        SystemUnavailable: the other side does not answer.
    """
    url = _probe_url(environment, settings)
    artifacts = await asyncio.to_thread(build_artifacts, _inputs())
    async with AsyncExitStack() as stack:
        runtime = stack.enter_context(runtime_directory())
        local = await stack.enter_async_context(_local_probe(artifacts, runtime / "local"))
        other = None if url else await stack.enter_async_context(_local_probe(artifacts, runtime / "second"))
        remote_url = url or (other.gateway_url if other else "")
        behaviours = await _compare(local.gateway_url, remote_url, tell)
        certificate = Certificate(
            environment=environment,
            remote_url=url,
            made_at=utc_now(),
            commit=current_commit(),
            notes=local.notes,
            behaviours=behaviours,
        )
    return Calibrated(certificate=certificate, files=_write(certificate, out or artifacts_directory() / "fidelity"))


def build_probe_zip() -> Path:
    """The probe function as it has to be deployed."""
    return build_artifacts(_inputs()).functions[PROBE_KEY].zip_path


async def _compare(local_url: str, remote_url: str, tell: Callable[[str], None]) -> tuple[Behaviour, ...]:
    local, remote = HttpSide(Side.LEGACY, local_url), HttpSide(Side.TARGET, remote_url)
    found: list[Behaviour] = []
    try:
        await remote.require_reachable()
        for case in fidelity_cases():
            tell(case.name)
            here = read_parts(case.shows, await _answer(local, case))
            there = read_parts(case.shows, await _answer(remote, case))
            found += [
                Behaviour(name=case.name, shows=shows, local=one, remote=other)
                for shows, one, other in zip(case.shows, here, there, strict=True)
            ]
    finally:
        await local.close()
        await remote.close()
    return tuple(found)


async def _answer(side: HttpSide, case: FidelityCase) -> Response | None:
    return (await side.send(case.request)).response


@asynccontextmanager
async def _local_probe(artifacts: BuiltArtifacts, directory: Path) -> AsyncIterator[LocalCloud]:
    cloud = LocalCloud(_definition(), artifacts, runtime_directory=directory, aws_endpoint=None)
    await cloud.start()
    try:
        yield cloud
    finally:
        await cloud.stop()


def _definition() -> CloudDefinition:
    """One function behind `$default`, as docs/local-cloud.md says to deploy it."""
    function = FunctionDefinition(
        key=PROBE_KEY,
        name=f"parakeet-{PROBE_KEY}",
        handler=f"{PROBE_PACKAGE.name}.functions.{PROBE_KEY}.handler.handler",
        runtime=running_interpreter().runtime,
        memory_mb=_MEMORY_MB,
        timeout_s=_TIMEOUT_S,
        environment={},
        role="probe",
    )
    return CloudDefinition(
        environment=LOCAL_ENVIRONMENT,
        region="us-east-1",
        account_id="123456789012",
        functions=(function,),
        routes=(RouteDefinition(route_key="$default", function_key=PROBE_KEY),),
        buckets=(),
        secrets=(),
    )


def _inputs() -> BuildInputs:
    project = project_inputs(project_root())
    return BuildInputs(package=PROBE_PACKAGE, lock=project.lock, cache=project.cache)


def _probe_url(environment: str, settings: Settings) -> str | None:
    if environment == LOCAL_ENVIRONMENT:
        return None
    found = settings.environments.get(environment)
    if found is None:
        known = ", ".join(sorted({LOCAL_ENVIRONMENT, *settings.environments}))
        raise ConfigurationError(f"there is no environment {environment}", where=FILE_NAME, hint=f"Known: {known}.")
    if found.probe_url is None:
        hint = "Deploy the function of `parakeet calibrate --zip FILE` and set probe_url (docs/local-cloud.md)."
        where = f"{FILE_NAME}, [environments.{environment}]"
        raise ConfigurationError(f"the environment {environment} has no probe function", where=where, hint=hint)
    return found.probe_url


def _write(certificate: Certificate, directory: Path) -> tuple[Path, ...]:
    stem = f"{certificate.environment}-{certificate.made_at:%Y-%m-%d}"
    files = (directory / f"{stem}.json", directory / f"{stem}.md")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(files[0], orjson.dumps(certificate.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
        write_atomically(files[1], certificate.as_markdown().encode())
    except OSError as error:
        hint = "Choose a directory that can be written to."
        raise unwritable(error, where=str(directory), hint=hint, what="cannot write the certificate") from error
    return files
