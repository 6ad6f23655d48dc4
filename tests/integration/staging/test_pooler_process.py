"""PgBouncer as a process of ours: what is told where it is missing or does not start."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.domain.errors import SystemUnavailable
from harness.staging import pooler as pooler_module
from harness.staging.pooler import LocalPooler, find_pooler

DSN = "postgresql://owner:pass%2Fw%22rd@127.0.0.1:5432/shop"


@pytest.fixture
def directory() -> Iterator[Path]:
    # Not below tmp_path: it runs as another user and would open up every parent folder.
    made = Path(tempfile.mkdtemp(prefix="parakeet-pooler-"))
    yield made
    shutil.rmtree(made)


async def test_a_missing_pooler_says_what_to_install(directory: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pooler_module, "find_pooler", lambda: None)
    with pytest.raises(SystemUnavailable, match="not installed") as refusal:
        await LocalPooler(DSN, directory, pool_size=1).start()
    assert "apt-get install pgbouncer" in str(refusal.value.hint)


@pytest.mark.skipif(find_pooler() is None, reason="PgBouncer is not installed (apt-get install pgbouncer)")
async def test_a_pooler_that_does_not_start_says_why(directory: Path):
    pooler = LocalPooler(DSN, directory, pool_size=1, settings={"pool_mode": "sometimes"})
    with pytest.raises(SystemUnavailable, match="did not start") as refusal:
        await pooler.start()
    assert "pool_mode" in str(refusal.value.hint)
    await pooler.stop()


@pytest.mark.skipif(find_pooler() is None, reason="PgBouncer is not installed (apt-get install pgbouncer)")
async def test_its_files_hold_the_password_for_nobody_else(directory: Path):
    pooler = LocalPooler(DSN, directory, pool_size=1)
    await pooler.start()
    await pooler.stop()
    users = directory / "users.txt"
    assert users.read_text() == '"owner" "pass/w""rd"\n'
    assert {path.stat().st_mode & 0o077 for path in (users, directory / "pgbouncer.ini")} == {0}
    assert pooler.dsn.startswith("postgresql://owner:pass%2Fw%22rd@127.0.0.1:")
