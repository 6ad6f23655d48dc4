"""Reading a hashed lock."""

from pathlib import Path

import pytest

from harness.domain.errors import ConfigurationError
from harness.staging.lock_file import read_lock

_HASH = "--hash=sha256:" + "0" * 64


def _lock(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lock.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_pins_are_read_by_normalised_name_in_order(tmp_path: Path) -> None:
    lock = _lock(
        tmp_path, f"# a comment\nZope.Event==5.0 \\\n    {_HASH} \\\n    {_HASH}\naio_files==1.2\\\n    {_HASH}\n"
    )

    assert [(pin.name, pin.version) for pin in read_lock(lock)] == [("aio-files", "1.2"), ("zope-event", "5.0")]
    assert read_lock(lock)[1].lines.count("--hash") == 2


def test_pins_for_other_platforms_are_left_out(tmp_path: Path) -> None:
    lock = _lock(
        tmp_path,
        f"a==1 ; sys_platform == 'win32' \\\n    {_HASH}\nb==2 ; python_full_version >= '3.8' \\\n    {_HASH}\n",
    )

    assert [pin.name for pin in read_lock(lock)] == ["b"]


@pytest.mark.parametrize("text", ["a>=1\n", "a==1\n", "-r other.txt\n"])
def test_a_line_that_is_not_a_hashed_pin_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_lock(_lock(tmp_path, text))


def test_a_missing_lock_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make lock"):
        read_lock(tmp_path / "absent.txt")
