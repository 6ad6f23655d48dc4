"""Bytecode that ships inside an artifact: compiled once, the same bytes every time, never checked at import."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.domain.errors import HarnessError

_BATCH = 96
_TIMEOUT_S = 300
# What marshal writes depends on the references that a process holds and on its hash seed: so every batch of files,
# cut the same way on every machine, gets an interpreter of its own with a fixed seed.
_PROGRAM = """
import py_compile, sys
root, *names = sys.stdin.read().split("\\0")
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
for name in names:
    try:
        py_compile.compile(f"{root}/{name}", dfile=name, doraise=True, invalidation_mode=mode)
    except py_compile.PyCompileError:
        pass  # a template or a file for another Python: it stays source
"""


def compile_tree(root: Path, python: str = sys.executable) -> None:
    """Writes an unchecked-hash `.pyc` beside every module under `root`; file names in it are relative to `root`.

    Raises:
        HarnessError: the compiler itself failed.
    """
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as workers:
        list(workers.map(lambda batch: _compile_batch(root, batch, python), batches))


def _compile_batch(root: Path, names: Sequence[str], python: str) -> None:
    ended = subprocess.run(
        [python, "-s", "-S", "-c", _PROGRAM],
        input="\0".join([str(root), *names]),
        env={"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if ended.returncode != 0:
        raise HarnessError(f"cannot compile the artifact: {ended.stderr.strip()[-500:]}", where=str(root))
