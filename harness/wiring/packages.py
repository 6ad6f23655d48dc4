"""The project's artifacts: for this machine to run, and for Lambda."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.domain.cloud import FunctionDefinition
from harness.domain.errors import ConfigurationError
from harness.settings import project_root
from harness.staging.build import BuildInputs, BuiltArtifacts, build_artifacts, project_inputs
from harness.staging.definition import load_definition
from harness.staging.interpreters import find_interpreter
from harness.staging.platforms import LambdaPlatform, local_architecture, platform_of, running_platform

Tell = Callable[[str], None]


def build_project(root: Path | None = None, tell: Tell = lambda _: None) -> BuiltArtifacts:
    """Builds what is not built yet, to be run here: for the declared runtime if this machine has its interpreter.

    `tell` hears of it where it has not.

    Raises:
        ConfigurationError: see `build_artifacts`; or the Terraform files cannot be used.
    """
    inputs = project_inputs(root or project_root())
    wanted = _declared_runtime(root or project_root())
    found = find_interpreter(wanted) if wanted else None
    ours = running_platform()
    if wanted and found is None:
        tell(f"{wanted} is not on PATH: built for {ours.runtime}, which is not what is deployed")
    if found is None or found.is_running:
        return build_artifacts(inputs)
    return _build_for(replace(inputs, platform=platform_of(found)), inputs, tell)


def build_release(
    runtime: str | None, architecture: str | None, root: Path | None = None, tell: Tell = lambda _: None
) -> BuiltArtifacts:
    """Builds what is deployed, for exactly this platform; what is None is as Terraform declares it.

    Bytecode ships where this machine has an interpreter of the runtime; `tell` hears of it where it has not.

    Raises:
        ConfigurationError: see `build_artifacts`; or a package has no build for the platform.
    """
    base = root or project_root()
    runtime = runtime or _declared_runtime(base) or running_platform().runtime
    architecture = architecture or _declared_architecture(base) or local_architecture()
    platform = LambdaPlatform(runtime=runtime, architecture=architecture, interpreter=find_interpreter(runtime))
    if platform.interpreter is None:
        tell(f"{runtime} is not on PATH: without bytecode, so that a cold start has to compile what it imports")
    return build_artifacts(replace(project_inputs(base), platform=platform))


def _build_for(wanted: BuildInputs, ours: BuildInputs, tell: Tell) -> BuiltArtifacts:
    """Another interpreter's packages come from the network, which may be absent: then ours do."""
    try:
        return build_artifacts(wanted)
    except ConfigurationError as error:
        tell(f"not built for {wanted.platform.runtime} but for {ours.platform.runtime}: {error.what}")
        return build_artifacts(ours)


def _declared_runtime(root: Path) -> str | None:
    return _declared(root, lambda function: function.runtime)


def _declared_architecture(root: Path) -> str | None:
    return _declared(root, lambda function: function.architecture)


def _declared(root: Path, value: Callable[[FunctionDefinition], str]) -> str | None:
    """The one value of all functions; None where there is no Terraform or they do not agree."""
    directory = root / "terraform"
    if not directory.is_dir():
        return None
    found = {value(function) for function in load_definition(directory).functions}
    return found.pop() if len(found) == 1 else None
