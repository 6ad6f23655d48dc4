"""`parakeet build`: the zips that are deployed, and that staging runs."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from harness.domain.errors import ConfigurationError, ExitCode
from harness.settings import project_root
from harness.staging.artifact_cache import BuiltArtifact
from harness.staging.build import BuiltArtifacts, handler_paths, project_inputs, publish_artifacts
from harness.staging.handler_check import require_importable
from harness.wiring.packages import build_project
from harness.wiring.paths import require_own_systems


def build(
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for functions/*.zip and layers/*.zip.", show_default=False)
    ] = None,
) -> int:
    """Build every function and layer, reproducibly; only what changed is built again.

    Without --out the zips go where Terraform looks for them (artifacts/.cache/build).

    Example: parakeet build --out /tmp/release
    """
    started = time.perf_counter()
    require_own_systems()
    inputs = project_inputs(project_root())
    messages = Console(stderr=True)
    artifacts = build_project(project_root(), lambda text: messages.print(f"note: {text}", highlight=False))
    require_importable(artifacts, handler_paths(inputs.package))
    try:
        published = publish_artifacts(artifacts, out or inputs.cache)
    except OSError as error:
        hint = "Choose a directory that can be written to."
        raise ConfigurationError(
            f"cannot write the artifacts: {error.strerror}", where=str(out or inputs.cache), hint=hint
        ) from error
    messages.print(_table(artifacts))
    messages.print(f"built in {time.perf_counter() - started:.2f} s for {artifacts.interpreter.runtime}")
    for path in published:
        typer.echo(path)
    return ExitCode.GO


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
