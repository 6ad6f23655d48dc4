"""The temporary directory of a running pair; those of killed runs are swept away before a new one is made."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "parakeet-"
_OWNER = ".owner"


@contextlib.contextmanager
def runtime_directory() -> Iterator[Path]:
    """A new directory for one run, removed afterwards.

    After a kill it stays until the next run starts: the kernel gives up the dead owner's lock on its `.owner` file,
    and only a directory whose lock is free is swept. One without that file is never ours to remove.
    """
    _sweep(Path(tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=_PREFIX))
    owner = _lock(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(owner)


def _lock(directory: Path) -> int:
    # Locked before it gets its name: a sweep at the same moment never finds it free. Children do not inherit it.
    draft = directory / f"{_OWNER}.draft"
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    draft.rename(directory / _OWNER)
    return descriptor


def _sweep(temporary: Path) -> None:
    for directory in temporary.glob(f"{_PREFIX}*"):
        # Another user's, or one that goes at this very moment, is left alone.
        with contextlib.suppress(OSError):
            _remove_if_abandoned(directory)


def _remove_if_abandoned(directory: Path) -> None:
    if directory.is_symlink() or directory.lstat().st_uid != os.geteuid():
        return
    descriptor = os.open(directory / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(descriptor)
