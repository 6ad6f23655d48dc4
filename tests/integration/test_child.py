"""Children of a process that ends, and the watchdog beside them."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.builders.started_pair import survivors

_OWNER = """
import asyncio, sys
from pathlib import Path
import psutil
from harness.child import Child

child = Child.start(["sleep", "60"], name="sleeper", log_path=Path(sys.argv[1]))
print(*(process.pid for process in psutil.Process().children()), flush=True)
sys.stdin.read()
if "stop" in sys.argv:
    asyncio.run(child.stop())
"""


@pytest.mark.parametrize("how", ["stop", "forget"])
def test_a_process_that_ends_leaves_neither_children_nor_watchdog(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-W", "error", "-c", _OWNER, str(tmp_path / "log"), how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as owner:
        assert owner.stdout is not None
        started = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
        _, complaints = owner.communicate(timeout=60)

    assert (owner.returncode, len(started)) == (0, 2)
    assert survivors(started) == []
    # Of a child that nobody stopped the interpreter tells; the watchdog is nobody's to stop.
    assert complaints.count("is still running") == (how == "forget")
