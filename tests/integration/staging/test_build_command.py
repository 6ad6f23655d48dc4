"""`parakeet build` on this checkout."""

from pathlib import Path

import pytest

from harness.cli import run
from harness.domain.errors import ExitCode


def test_the_zips_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "--out", str(tmp_path / "release")]) == ExitCode.GO

    printed = capsys.readouterr()
    paths = [Path(line) for line in printed.out.split()]
    assert tmp_path / "release" / "layers" / "dependencies.zip" in paths
    assert all(path.is_file() for path in paths)
    assert "unzipped" in printed.err
    assert "built in" in printed.err


def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    assert run(["build", "--out", str(tmp_path / "file" / "release")]) == ExitCode.USAGE

    assert "cannot write the artifacts" in capsys.readouterr().err
