"""Files of JSON Lines that are written and read a line at a time, so that memory does not grow with them."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from harness.domain.errors import EvidenceError

_Row = TypeVar("_Row")


class StoredRows(Collection[_Row], Generic[_Row]):
    """The rows of such a file, decoded each time they are gone through.

    Raises:
        EvidenceError: while they are gone through, if the file is gone or a line is not such a row.
    """

    def __init__(self, path: Path, row: type[_Row], count: int) -> None:
        self._path = path
        self._decode = msgspec.json.Decoder(row).decode
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[_Row]:
        hint = "Compare the run again (`parakeet compare --run DIR`)."
        try:
            with self._path.open("rb") as file:
                for line in file:
                    yield self._decode(line)
        except (OSError, msgspec.DecodeError) as error:
            raise EvidenceError(f"cannot be read back: {error}", where=str(self._path), hint=hint) from error

    def __contains__(self, row: object) -> bool:
        return any(each == row for each in self)


class RowWriter:
    """Writes such a file beside the one that is there, which it replaces when told, whole or not at all.

    Left as a context without that, it leaves the old file alone and nothing else behind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".{path.name}.draft")
        self._encode = msgspec.json.Encoder().encode_lines
        self.count = 0

    def __enter__(self) -> Self:
        self._file = self._draft.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._draft.unlink(missing_ok=True)

    def add(self, rows: Collection[object]) -> None:
        """Adds rows at the end."""
        if rows:
            self._file.write(self._encode(rows))
            self.count += len(rows)

    def replace(self) -> None:
        """Puts the file in its place, on disk when this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._draft.replace(self._path)
