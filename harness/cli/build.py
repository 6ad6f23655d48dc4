"""`parakeet build`: the zips that are deployed, and that staging runs."""

import re
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.domain.errors import ConfigurationError, ExitCode, unwritable
from harness.settings import project_root
from harness.staging.artifact_cache import BuiltArtifact
from harness.staging.build import BuiltArtifacts, handler_paths, project_inputs, publish_artifacts
from harness.staging.handler_check import require_importable
from harness.staging.platforms import ARCHITECTURES
from harness.wiring.packages import Tell, build_project, build_release
from harness.wiring.paths import require_own_systems

_ELSEWHERE = "Choose a directory that can be written to."


def build(
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for functions/*.zip and layers/*.zip.", show_default=False)
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime", metavar="pythonX.Y", help="Lambda runtime; else what this machine runs.", show_default=False
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            "--architecture", metavar="|".join(ARCHITECTURES), help="Processor; else ours.", show_default=False
        ),
    ] = None,
) -> int:
    """Build every function and layer, reproducibly; only what changed is built again.

    Without --out the zips go where Terraform looks for them (artifacts/.cache/build). With --runtime or
    --architecture they are built for exactly that, the other as Terraform declares it.

    Example: parakeet build --out /tmp/release

    Example: parakeet build --runtime python3.12 --architecture arm64 --out /tmp/release
    """
    _require_known(runtime, architecture)
    _require_directory(out)
    started = time.perf_counter()
    require_own_systems()
    messages = Console(stderr=True)
    artifacts = _build(runtime, architecture, lambda text: messages.print(f"note: {text}", highlight=False))
    published = _publish(artifacts, out or project_inputs(project_root()).cache)
    messages.print(_table(artifacts))
    messages.print(f"built in {time.perf_counter() - started:.2f} s for {_platform(artifacts)}")
    for path in published:
        typer.echo(path)
    return ExitCode.GO


def _require_directory(out: Path | None) -> None:
    """Before anything is built, which may take a minute."""
    place = None if out is None else out.absolute()
    for part in () if place is None else (place, *place.parents):
        if part.exists() and not part.is_dir():
            raise ConfigurationError(f"cannot write the artifacts: {part} is a file", where="--out", hint=_ELSEWHERE)


def _build(runtime: str | None, architecture: str | None, tell: Tell) -> BuiltArtifacts:
    is_release = runtime is not None or architecture is not None
    root = project_root()
    artifacts = build_release(runtime, architecture, root, tell) if is_release else build_project(root, tell)
    if artifacts.platform.is_local:
        require_importable(artifacts, handler_paths(project_inputs(root).package))
    else:
        tell("no handler was imported: this machine cannot run what was built")
    return artifacts


def _publish(artifacts: BuiltArtifacts, directory: Path) -> tuple[Path, ...]:
    try:
        return publish_artifacts(artifacts, directory)
    except OSError as error:
        raise unwritable(error, where=str(directory), hint=_ELSEWHERE, what="cannot write the artifacts") from error


def _require_known(runtime: str | None, architecture: str | None) -> None:
    if runtime is not None and re.fullmatch(r"python3\.\d{1,2}", runtime) is None:
        hint = "Name it as Lambda does, such as python3.12."
        raise ConfigurationError(f"there is no runtime {runtime}", where="--runtime", hint=hint)
    if architecture is not None and architecture not in ARCHITECTURES:
        hint = f"Choose one of {', '.join(ARCHITECTURES)}."
        raise ConfigurationError(f"there is no architecture {architecture}", where="--architecture", hint=hint)


def _platform(artifacts: BuiltArtifacts) -> str:
    return f"{artifacts.platform.runtime} on {artifacts.platform.architecture}"


def _table(artifacts: BuiltArtifacts) -> Table:
    table = Table(box=None)
    for title in ("artifact", "zip", "unzipped", "sha256", "made of"):
        table.add_column(title, justify="right" if title in ("zip", "unzipped") else "left")
    for artifact in [*artifacts.functions.values(), *artifacts.layers.values()]:
        table.add_row(*_row(artifact))
    return table


def _row(artifact: BuiltArtifact) -> tuple[str, ...]:
    sizes = (f"{artifact.size_bytes / 1e6:.2f} MB", f"{artifact.unzipped_bytes / 1e6:.2f} MB")
    return (artifact.name, *sizes, artifact.sha256[:12], artifact.note)
