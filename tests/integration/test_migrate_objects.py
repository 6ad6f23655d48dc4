"""A cache directory into a bucket, through the command line: every value verified, or nothing there."""

import asyncio
import io
import itertools
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

from harness.adapters.object_bucket import ObjectBucket
from harness.adapters.object_directory import ObjectDirectory
from harness.adapters.parquet import read_object
from harness.cli import run
from harness.domain.errors import DataRefused, ExitCode
from harness.engine.migrate_objects import migrate_objects
from harness.settings import ObjectsSettings
from harness.wiring.objects import migrate_directory
from tests.builders.interruption import Interruption

NAMES = ("us_prices_close.parquet", "us_prices_open.parquet")


@pytest.fixture(scope="module")
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(_moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The client, and an environment that leads the command line there too."""
    for name, value in (
        ("AWS_ENDPOINT_URL", _moto),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"test-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache as the legacy leaves it, with a file beside that is no price."""
    directory = tmp_path / "cache"
    directory.mkdir()
    days = pd.date_range("2020-01-01", periods=300, freq="B", name="Date")
    for number, name in enumerate(NAMES):
        prices = np.random.default_rng(number).normal(100, 5, (len(days), 7))
        prices[:40, 3] = np.nan
        frame = pd.DataFrame(prices, index=days, columns=[*"FGABCDE"])
        frame.to_parquet(directory / name, compression="snappy")
    (directory / "data_freshness_meta.json").write_text("{}")
    return directory


def stored(s3: Any, bucket: str) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def migrate(cache: Path, bucket: str, *options: str) -> int:
    return run(["migrate", "--legacy-cache", str(cache), "--target-bucket", bucket, *options])


def parity(cache: Path, bucket: str) -> int:
    return run(["parity", "objects", "--legacy-cache", str(cache), "--target-bucket", bucket])


def test_every_file_of_prices_arrives_and_every_value_is_verified(
    s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate(cache, bucket) == ExitCode.GO
    assert stored(s3, bucket) == {f"cache/{name}": (cache / name).read_bytes() for name in NAMES}
    said = capsys.readouterr()
    assert "every object was written and every value verified" in said.err
    assert said.out.count("2,400") == 2
    assert parity(cache, bucket) == ExitCode.GO
    assert "2 legacy objects with 4800 values, 0 differences" in capsys.readouterr().out


def test_an_object_that_only_the_target_has_is_named(
    s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(cache, bucket)
    s3.put_object(Bucket=bucket, Key="cache/deep/more.parquet", Body=b"PAR1")
    s3.put_object(Bucket=bucket, Key="cache/notes.txt", Body=b"none of the files that are compared")
    assert parity(cache, bucket) == ExitCode.GO
    assert "not compared, as the legacy has no such file: deep/more.parquet\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.parquet", ["a.parquet", "x/b.parquet", "x/y/c.parquet"]),
        ("*.parquet", ["a.parquet", "x/b.parquet", "x/y/c.parquet"]),
        ("x/**/*.parquet", ["x/b.parquet", "x/y/c.parquet"]),
        ("x/*", ["x/b.parquet", "x/y/c.parquet"]),
    ],
)
async def test_two_stars_span_any_folders_or_none(tmp_path: Path, pattern: str, found: list[str]) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("a.parquet", "x/b.parquet", "x/y/c.parquet", "d.csv"):
        (tmp_path / name).touch()
    assert sorted(await ObjectDirectory(tmp_path, [pattern]).read()) == found


def test_a_second_time_changes_nothing(s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrate(cache, bucket)
    times = [each["LastModified"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert migrate(cache, bucket) == ExitCode.GO
    assert "exactly these objects already" in capsys.readouterr().err
    assert [each["LastModified"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == times


def test_one_that_was_interrupted_goes_on_where_it_ended(s3: Any, bucket: str, cache: Path) -> None:
    s3.put_object(Bucket=bucket, Key=f"cache/{NAMES[0]}", Body=(cache / NAMES[0]).read_bytes())
    assert migrate(cache, bucket) == ExitCode.GO
    assert parity(cache, bucket) == ExitCode.GO


def test_a_dry_run_writes_nothing(s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(cache, bucket, "--dry-run") == ExitCode.GO
    assert stored(s3, bucket) == {}
    assert "nothing is changed" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_written(
    s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cache / NAMES[1]).write_bytes((cache / NAMES[1]).read_bytes()[:-30])
    assert migrate(cache, bucket) == ExitCode.NO_GO
    assert stored(s3, bucket) == {}
    said = capsys.readouterr().err
    assert "1 of 2 files cannot be read: us_prices_open.parquet is not a Parquet file" in said
    assert "Restore these files" in said


def test_a_bucket_with_other_objects_is_refused(
    s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket=bucket, Key="cache/us_prices.json", Body=b"{}")
    assert migrate(cache, bucket) == ExitCode.NO_GO
    assert list(stored(s3, bucket)) == ["cache/us_prices.json"]
    assert "already holds other objects: us_prices.json" in capsys.readouterr().err


def test_another_value_in_the_bucket_is_refused_and_found_by_parity(
    s3: Any, bucket: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.read_parquet(cache / NAMES[0])
    frame.iloc[10, 2] = 1.0
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    s3.put_object(Bucket=bucket, Key=f"cache/{NAMES[0]}", Body=buffer.getvalue())
    assert migrate(cache, bucket) == ExitCode.NO_GO
    assert list(stored(s3, bucket)) == [f"cache/{NAMES[0]}"]
    assert f"/{NAMES[0]}/A/2020-01-15 00:00:00 value" in capsys.readouterr().err
    assert parity(cache, bucket) == ExitCode.NO_GO
    said = capsys.readouterr().out
    assert f"/{NAMES[0]}/A/2020-01-15 00:00:00\tvalue" in said
    assert f"/{NAMES[1]}\tmissing" in said
    assert "2 differences" in said


def test_what_the_target_keeps_beside_is_no_difference(s3: Any, bucket: str, cache: Path) -> None:
    migrate(cache, bucket)
    s3.put_object(Bucket=bucket, Key="cache/us_prices.json", Body=b"{}")
    assert parity(cache, bucket) == ExitCode.GO


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--legacy-cache", "cache"], "--target-bucket is not given"),
        (["--target-bucket", "b"], "--legacy-cache is not given"),
        (["--legacy-db", "x.db"], "--target-dsn is not given"),
        ([], "what to migrate is not given"),
        (["--legacy-cache", "/nowhere/at/all", "--target-bucket", "b"], "there is no such directory"),
    ],
)
def test_a_half_command_is_a_usage_error(
    s3: Any, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["migrate", *arguments]) == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_a_bucket_that_is_not_there_is_a_usage_error(s3: Any, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate(cache, f"none-{uuid4().hex}") == ExitCode.USAGE
    assert "there is no such bucket" in capsys.readouterr().err


def test_nothing_to_compare_is_inconclusive(s3: Any, bucket: str, tmp_path: Path) -> None:
    assert parity(tmp_path, bucket) == ExitCode.INCONCLUSIVE


class ChangingSource:
    """A legacy that writes while it is read."""

    def __init__(self, *reads: Mapping[str, bytes]) -> None:
        self._reads = iter(reads)

    async def read(self) -> Mapping[str, bytes]:
        return next(self._reads)


class ClosingBucket(ObjectBucket):
    """Accepts one object and no second one."""

    async def put_new(self, key: str, body: bytes) -> None:
        if await self.list_keys():
            raise DataRefused("the bucket is full")
        await super().put_new(key, body)


async def test_a_legacy_that_writes_meanwhile_leaves_nothing_behind(s3: Any, bucket: str, cache: Path) -> None:
    first = {name: (cache / name).read_bytes() for name in NAMES}
    swapped = dict(zip(NAMES, reversed(first.values()), strict=True))
    with pytest.raises(DataRefused, match="read back differ"):
        await migrate_objects(
            ChangingSource(first, swapped), ObjectBucket(s3, bucket, "cache/"), read_object=read_object
        )
    assert stored(s3, bucket) == {}


async def test_a_write_that_fails_takes_the_others_back(s3: Any, bucket: str, cache: Path) -> None:
    bodies = {name: (cache / name).read_bytes() for name in NAMES}
    with pytest.raises(DataRefused, match="full"):
        await migrate_objects(
            ChangingSource(bodies, bodies), ClosingBucket(s3, bucket, "cache/"), read_object=read_object
        )
    assert stored(s3, bucket) == {}


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
async def test_an_interrupted_migration_leaves_no_object_behind(
    s3: Any, bucket: str, cache: Path, is_late: bool
) -> None:
    target = ObjectBucket(s3, bucket, "cache/")
    for at in itertools.count(1):
        interruption = Interruption(at, is_late=is_late)
        await interruption.during(lambda: migrate_directory(cache, target, ObjectsSettings()))
        if not interruption.has_come:
            break
        assert await target.list_keys() == [], at
    assert at > 10, "the work had hardly a moment"
    assert len(stored(s3, bucket)) == len(NAMES)


async def test_no_request_outlives_a_migration_that_is_interrupted_in_its_midst(
    s3: Any, bucket: str, cache: Path
) -> None:
    loop, target = asyncio.get_running_loop(), ObjectBucket(s3, bucket, "cache/")
    left, migrating, has_ended, outliving = 0, loop.create_future(), threading.Event(), list[str]()

    def interrupt(model: Any, **_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            loop.call_soon_threadsafe(migrating.cancel)
            if has_ended.wait(0.05):
                outliving.append(model.name)

    s3.meta.events.register("before-call.s3", interrupt)
    for at in itertools.count(1):
        left = at
        has_ended.clear()
        migrating = asyncio.create_task(migrate_directory(cache, target, ObjectsSettings()))
        await asyncio.wait([migrating])
        has_ended.set()
        assert not outliving, at
        if not migrating.cancelled():
            break
        left = 0
        assert await target.list_keys() == [], at
    assert at == 1 + len(("list", *NAMES, *NAMES))  # each is written and read back
