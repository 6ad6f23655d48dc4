"""How much memory a process holds and held, from /proc."""

from pathlib import Path

_PAGE_BYTES = 4096
_MIB = 1024 * 1024


def resident_mb(pid: int) -> int:
    """Memory resident now, in MiB rounded up; 0 once the process has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, IndexError):
        return 0
    return -(-pages * _PAGE_BYTES // _MIB)


def peak_resident_mb(pid: int) -> int:
    """The most memory that was ever resident, in MiB rounded up; 0 once the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    _, found, rest = status.partition(b"VmHWM:")
    return -(-int(rest.split(maxsplit=1)[0]) // 1024) if found else 0
