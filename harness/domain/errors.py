"""Every error the judge raises on purpose.

HarnessError                 exit 4   the harness itself failed
├── ConfigurationError       exit 2   usage, configuration, unreadable input
│   ├── EvidenceError        exit 2   a run directory that cannot be used
│   └── WaiverError          exit 2   a waiver file that cannot be used
├── DataRefused              exit 1   the data cannot be carried
└── SystemUnavailable        exit 3   a system did not answer: INCONCLUSIVE

A difference is data, never an exception: an exception means that we could not judge.
"""

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """What every command ends with."""

    GO = 0
    NO_GO = 1
    USAGE = 2
    INCONCLUSIVE = 3
    HARNESS_FAILED = 4


class HarnessError(Exception):
    """Says what went wrong, where, and what to do next; never carries a secret."""

    exit_code = ExitCode.HARNESS_FAILED

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(" ".join(part for part in (what, f"({where})" if where else "", hint) if part))


class ConfigurationError(HarnessError):
    """Usage, configuration or input that cannot be read."""

    exit_code = ExitCode.USAGE


_DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def unwritable(error: OSError, *, where: str, hint: str, what: str = "cannot write") -> HarnessError:
    """A file that cannot be written: a ConfigurationError, but for a full disk, which is no fault of what was asked."""
    if error.errno in _DISK_IS_FULL:
        return HarnessError(f"{what}: {error.strerror}", where=where, hint="Make room there, then run it again.")
    return ConfigurationError(f"{what}: {error.strerror}", where=where, hint=hint)


class EvidenceError(ConfigurationError):
    """A run directory that is missing, corrupt or of another version."""


class WaiverError(ConfigurationError):
    """A waiver file that is malformed, or a waiver that hides more than it says."""


class DataRefused(HarnessError):
    """The data cannot be carried to the target; nothing was written."""

    exit_code = ExitCode.NO_GO


class SystemUnavailable(HarnessError):
    """A system that had to answer did not, so nothing can be concluded."""

    exit_code = ExitCode.INCONCLUSIVE
