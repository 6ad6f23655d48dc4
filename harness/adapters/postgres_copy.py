"""COPY into one table, where a row that the server refuses is named."""

import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from harness.domain.errors import DataRefused

REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    asyncpg.RaiseError,
)
"""What the server, or a trigger of its owner's, says of rows that it does not take."""
_KEPT_BLOCKS = 50
_HINT = "Correct the row in a copy of the legacy file and migrate that copy; nothing was written."


async def copy_lines(
    connection: Any, table: str, columns: Sequence[str], lines: AsyncIterator[bytes], *, schema: str | None = None
) -> None:
    """Writes lines in COPY's text format.

    Raises:
        DataRefused: the server refuses a row; names it where the server tells its line.
    """
    kept = _LastLines(lines)
    try:
        await connection.copy_to_table(table, source=kept, columns=list(columns), schema_name=schema, format="text")
    except REFUSALS as error:
        raise refused(error, f"table {table}{kept.row_of(error, columns)}") from error


def refused(error: Exception, where: str) -> DataRefused:
    """The server's refusal of a row, in our words."""
    detail = getattr(error, "detail", None)
    message = getattr(error, "message", None) or str(error)
    said = f"{message}: {detail}" if detail else message
    return DataRefused(f"the target refuses: {said}", where=where, hint=_HINT)


class _LastLines:
    """Hands lines on and remembers the last ones, among which the server may find one that it refuses."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_BLOCKS)
        self._count = 0

    def __aiter__(self) -> "_LastLines":
        return self

    async def __anext__(self) -> bytes:
        block = await anext(self._lines)
        self._kept.append((self._count, block))
        self._count += block.count(b"\n")
        return block

    def row_of(self, error: Exception, columns: Sequence[str]) -> str:
        """The row of the line that the error tells, by its first column."""
        found = re.search(r"line (\d+)", str(getattr(error, "context", "") or ""))
        for first, block in self._kept if found is not None else ():
            lines = block.splitlines()
            if found is not None and first < int(found[1]) <= first + len(lines):
                cell = lines[int(found[1]) - first - 1].split(b"\t")[0].decode()
                return f", row {columns[0]}={cell}"
        return f", line {found[1]}" if found is not None else ""
