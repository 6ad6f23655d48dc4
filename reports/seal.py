"""Whether the files of a run are those that were judged."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from harness.domain.errors import EvidenceError
from harness.domain.evidence import DECISION_FILE, EXCHANGES_FILE

SEAL_FILE = "judged.sha256"
"""As `sha256sum -c` reads it: one line for each file that a decision was made of."""
_ORIGINAL = frozenset({EXCHANGES_FILE, DECISION_FILE})
"""What cannot be made anew of other files."""


def encode_seal(directory: Path, names: Iterable[str]) -> bytes:
    """The seal with those of the files that are there, as they are now; what it says of others stays."""
    sealed = _read(directory) if (directory / SEAL_FILE).is_file() else {}
    sealed |= {name: _digest(directory / name) for name in names if (directory / name).is_file()}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sealed.items())).encode()


def require_as_judged(directory: Path, names: Iterable[str]) -> None:
    """Guarantees that these files are byte for byte those that the run was judged by.

    Raises:
        EvidenceError: one is missing, was changed or is of another run, or nothing says what was judged.
    """
    compared = f"Judge what is stored again (`parakeet compare --run {directory}`), or run again into a new directory."
    try:
        sealed = _read(directory)
        changed = [name for name in sorted(names) if sealed.get(name) != _digest(directory / name)]
    except OSError as error:
        what = f"it is not known whether the files are those that were judged: {error}"
        raise EvidenceError(what, where=str(directory / SEAL_FILE), hint=compared) from error
    if changed:
        hint = compared if changed[0] not in _ORIGINAL else "Restore it from a copy, or run again into a new directory."
        raise EvidenceError("it is not the file that was judged", where=str(directory / changed[0]), hint=hint)


def require_same_exchanges(directory: Path) -> None:
    """Guarantees that what a run that ended has stored is what it was judged by, if it was.

    Raises:
        EvidenceError: the exchanges were changed since, or are of another run.
    """
    if (directory / SEAL_FILE).is_file():
        require_as_judged(directory, (EXCHANGES_FILE,))


def _read(directory: Path) -> dict[str, str]:
    lines = (directory / SEAL_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
