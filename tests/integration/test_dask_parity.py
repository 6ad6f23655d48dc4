"""Ranges of rows as tasks of Dask: the same bytes; nothing listens beyond loopback or is left behind."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from harness.adapters.dask_cluster import dask_cluster
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.row_parity import KeyRange
from harness.domain.row_plan import plan_table
from harness.domain.rows import Column, TableSchema
from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings
from harness.wiring.parity import RowParity, RowParityRequest, compare_rows
from harness.wiring.row_tasks import DaskSettings, RangeTask, run_range_task
from tests.builders.postgres import connected

_ROWS = 200
_OPTIONS = RowParityOptions(partition_rows=25, recheck_after_s=0)


@pytest.fixture
async def pair(tmp_path: Path, postgres_dsn: str) -> tuple[str, str]:
    """Two databases of which every seventh row differs."""
    with closing(sqlite3.connect(tmp_path / "legacy.db")) as database, database:
        database.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, name TEXT, price FLOAT)")
        database.executemany("INSERT INTO cells VALUES (?, ?, ?)", [(n, f"name {n}", n / 7) for n in range(_ROWS)])
        database.execute("CREATE TABLE lines (text TEXT)")
        database.execute("INSERT INTO lines VALUES ('a'), ('a'), ('b')")
    async with connected(postgres_dsn) as connection:
        await connection.execute("CREATE TABLE cells (id bigint PRIMARY KEY, name text, price double precision)")
        rows = [(n, f"name {n}{' ' if n % 7 == 0 else ''}", n / 7) for n in range(_ROWS)]
        await connection.copy_records_to_table("cells", records=rows)
        await connection.execute("CREATE TABLE lines (text text); INSERT INTO lines VALUES ('a'), ('b')")
    return str(tmp_path / "legacy.db"), postgres_dsn


async def _compare(pair: tuple[str, str], out: Path, dask: DaskSettings | None) -> tuple[RowParity, bytes]:
    found = await compare_rows(
        RowParityRequest(legacy=pair[0], target_dsn=pair[1], rows=RowsSettings(), out=out, options=_OPTIONS, dask=dask)
    )
    return found, (out / "differences.jsonl").read_bytes()


async def test_dask_gives_the_same_bytes_and_listens_on_loopback_only(pair: tuple[str, str], tmp_path: Path) -> None:
    alone = await _compare(pair, tmp_path / "alone", None)
    assert alone[0].differences == 30
    async with dask_cluster(None, workers=2) as cluster:
        spread = await _compare(pair, tmp_path / "spread", DaskSettings(scheduler=cluster.address, workers=2))
        children = _dask_processes()
        listening = {
            (child.pid, each.laddr.ip)
            for child in children
            for each in child.net_connections()
            if each.status == psutil.CONN_LISTEN
        }
    assert spread == alone
    assert len(children) == 3
    assert {pid for pid, _ in listening} == {child.pid for child in children}
    assert {address for _, address in listening} == {"127.0.0.1"}
    assert not any(child.is_running() for child in children)


def _dask_processes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [each for each in children if any("distributed.cli" in word for word in each.cmdline())]


async def test_a_worker_tells_what_it_could_not_read(tmp_path: Path) -> None:
    schema = TableSchema(
        name="cells", columns=(Column(name="id", declared_type="INTEGER", is_nullable=False),), key=("id",)
    )
    task = RangeTask(
        legacy=str(tmp_path / "absent.db"),
        target_dsn="postgresql://nobody:hush@127.0.0.1:1/none",
        plan=plan_table(schema, schema),
        keys=KeyRange(),
        recheck_after_s=0,
        recheck_times=0,
    )
    assert "hush" not in repr(task)
    async with dask_cluster(None, workers=1) as cluster:
        with pytest.raises(ConfigurationError, match="cannot be read") as refused:
            await cluster.run(run_range_task, task)
        assert refused.value.where == str(tmp_path / "absent.db")
        with pytest.raises(ConfigurationError, match="another environment"):
            await cluster.run(_known_only_here, "")


def _known_only_here(_nothing: str) -> None:
    """In a module that no worker can import."""


async def test_a_scheduler_that_is_not_there_is_inconclusive(
    pair: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.adapters.dask_cluster._ANSWER_TIMEOUT_S", 0.5)
    with pytest.raises(SystemUnavailable, match="does not answer"):
        await _compare(pair, tmp_path / "run", DaskSettings(scheduler="tcp://127.0.0.1:1"))
