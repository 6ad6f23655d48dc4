"""What the local cloud is not is said beside every figure: in its notes, the manifest and the report."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from harness.staging.build import BuiltArtifacts
from harness.staging.interpreters import running_interpreter
from harness.staging.stack import LocalCloud
from harness.wiring.report import render_all
from tests.builders.lambda_cloud import definition, function
from tests.builders.run_directory import clean_content, write_run


def _cloud(runtime: str) -> LocalCloud:
    of = definition(function(runtime=runtime, layers=()))
    # Enough of artifacts to describe a cloud that is never started.
    built = SimpleNamespace(layers={}, runtime_directory=Path(), functions={"probe": SimpleNamespace(root=Path())})
    built.interpreter = running_interpreter()
    return LocalCloud(of, cast("BuiltArtifacts", built), runtime_directory=Path(), aws_endpoint=None)


def test_the_processor_is_not_scaled_and_another_python_is_named() -> None:
    assert _cloud(running_interpreter().runtime).notes == ("cpu: unscaled",)
    assert _cloud("python3.99").notes == (
        "cpu: unscaled",
        f"probe: the definition says python3.99, run with {running_interpreter().runtime}",
    )


def test_the_notes_reach_the_report(tmp_path: Path) -> None:
    content = clean_content()
    content = replace(content, manifest=replace(content.manifest, notes=("cpu: unscaled",)))
    directory = write_run(tmp_path, content)
    render_all(directory)
    assert "<dt>Note</dt><dd><code>cpu: unscaled</code>" in (directory / "report.html").read_text(encoding="utf-8")
