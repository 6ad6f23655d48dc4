"""The project's artifacts, built for the runtime that Terraform names, where this machine has its interpreter."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.settings import project_root
from harness.staging.build import BuildInputs, BuiltArtifacts, build_artifacts, project_inputs
from harness.staging.definition import load_definition
from harness.staging.interpreters import find_interpreter, running_interpreter


def build_project(root: Path | None = None, tell: Callable[[str], None] = lambda _: None) -> BuiltArtifacts:
    """Builds what is not built yet, for the declared runtime if that can be; `tell` hears of it where it cannot.

    Raises:
        ConfigurationError: see `build_artifacts`; or the Terraform files cannot be used.
    """
    inputs = project_inputs(root or project_root())
    wanted = _declared_runtime(root or project_root())
    found = find_interpreter(wanted) if wanted else None
    ours = running_interpreter()
    if wanted and found is None:
        tell(f"{wanted} is not on PATH: built for {ours.runtime}, which is not what is deployed")
    if found is None or found.is_running:
        return build_artifacts(inputs)
    return _build_for(replace(inputs, interpreter=found), inputs, tell)


def _build_for(wanted: BuildInputs, ours: BuildInputs, tell: Callable[[str], None]) -> BuiltArtifacts:
    """Another interpreter's packages come from the network, which may be absent: then ours do."""
    try:
        return build_artifacts(wanted)
    except ConfigurationError as error:
        tell(f"not built for {wanted.interpreter.runtime} but for {ours.interpreter.runtime}: {error.what}")
        return build_artifacts(ours)


def _declared_runtime(root: Path) -> str | None:
    """The one runtime of all functions; None where there is no Terraform or they do not agree."""
    directory = root / "terraform"
    if not directory.is_dir():
        return None
    runtimes = {function.runtime for function in load_definition(directory).functions}
    return runtimes.pop() if len(runtimes) == 1 else None
