"""Temporary directories: gone with their run, and swept by the next one where the run was killed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.wiring.runtime import runtime_directory

_ROOT = Path(__file__).resolve().parents[2]
_HOLD = """
import sys
from harness.wiring.runtime import runtime_directory
with runtime_directory() as path:
    (path / "file").write_text("x")
    print(path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary directories are made in."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other_run(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A run in another process, with its directory."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_it_is_gone_with_its_run_and_private_while_it_lasts(temporary: Path) -> None:
    with runtime_directory() as path:
        assert path.parent == temporary and path.stat().st_mode & 0o077 == 0
    assert list(temporary.iterdir()) == []


def test_that_of_a_living_run_is_kept_and_that_of_a_killed_one_is_swept(
    temporary: Path, other_run: tuple[subprocess.Popen[str], Path]
) -> None:
    process, theirs = other_run
    with runtime_directory():
        assert (theirs / "file").exists()
    process.kill()
    process.wait()
    assert theirs.exists()
    with runtime_directory() as mine:
        assert list(temporary.iterdir()) == [mine]


def test_what_is_not_of_a_run_is_never_swept(temporary: Path) -> None:
    for name in ("parakeet-notes", "other"):
        (temporary / name).mkdir()
        (temporary / name / "file").touch()
    (temporary / "other" / ".owner").touch()
    (temporary / "parakeet-link").symlink_to(temporary / "other")
    (temporary / "parakeet-file").touch()
    with runtime_directory():
        pass
    assert {path.name for path in temporary.iterdir()} == {"parakeet-notes", "other", "parakeet-link", "parakeet-file"}
    assert (temporary / "other" / "file").exists()
