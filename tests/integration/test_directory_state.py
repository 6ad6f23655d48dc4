"""Directories captured and restored: changed, added, removed and absent files."""

import itertools
import os
import time
from pathlib import Path

import pytest

from harness.domain.errors import ConfigurationError, HarnessError
from legacy_adapter import parquet
from legacy_adapter.parquet import DirectoryState
from tests.builders.interruption import Interruption


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with two files, one of them below a folder."""
    folder = tmp_path / "cache"
    (folder / "deep").mkdir(parents=True)
    (folder / "prices.parquet").write_bytes(b"PAR1 prices")
    (folder / "deep" / "meta.json").write_bytes(b"{}")
    return folder


async def test_restore_undoes_every_kind_of_write(cache: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    state = DirectoryState([cache, reports])
    await state.capture()
    before = await state.read()
    for _ in range(2):
        (cache / "prices.parquet").write_bytes(b"PAR1 PRICES")
        (cache / "deep" / "meta.json").unlink()
        (cache / "deep").rmdir()
        (cache / "new").mkdir()
        (cache / "new" / "file").write_bytes(b"x")
        reports.mkdir()
        (reports / "HRP_results.json").write_bytes(b"[]")
        await state.restore()
        assert await state.read() == before == {"cache/deep/meta.json": b"{}", "cache/prices.parquet": b"PAR1 prices"}
        assert not reports.exists()
        assert not (cache / "new").exists()
    await state.close()


async def test_an_unchanged_file_is_not_written(cache: Path) -> None:
    state = DirectoryState([cache])
    await state.capture()
    inode = (cache / "prices.parquet").stat().st_ino
    await state.restore()
    assert (cache / "prices.parquet").stat().st_ino == inode
    await state.close()


async def test_a_write_of_the_same_length_is_noticed(cache: Path) -> None:
    state = DirectoryState([cache])
    await state.capture()
    path = cache / "prices.parquet"
    path.write_bytes(b"PAR1 PRICES")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    await state.restore()
    assert path.read_bytes() == b"PAR1 prices"
    await state.close()


async def test_a_file_in_the_directorys_place_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot be used") as raised:
        await DirectoryState([path]).capture()
    assert raised.value.where == str(path)


async def test_restore_before_capture_is_our_own_fault(cache: Path) -> None:
    with pytest.raises(HarnessError, match="before capture"):
        await DirectoryState([cache]).restore()


@pytest.mark.parametrize("work", ["capture", "restore"])
async def test_work_that_is_cancelled_at_any_moment_is_done_when_it_says_so(
    cache: Path, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = list[Path]()

    def look_slowly(directory: Path) -> object:
        under_way.append(directory)
        time.sleep(0.05)  # longer than it takes to be told that all is done
        under_way.remove(directory)
        return look(directory)

    look = parquet._look
    monkeypatch.setattr(parquet, "_look", look_slowly)
    state = DirectoryState([cache])
    await state.capture()
    before = await state.read()
    for at in itertools.count(1):
        interruption = Interruption(at, is_late=False)
        await interruption.during(getattr(state, work))
        assert not under_way, at
        if not interruption.has_come:
            break
    assert at > 1
    (cache / "prices.parquet").write_bytes(b"PAR1 other")
    await state.restore()
    assert await state.read() == before
    await state.close()
