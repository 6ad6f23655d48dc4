"""Whose a snapshot in a database is, and what is not in its tables: for a process that goes on where one was killed."""

import json
from collections.abc import Mapping
from typing import Any

from harness.domain.sqlite_rows import quote_name

_FACTS = "parakeet_snapshot_facts"
Sequences = dict[str, tuple[int, bool]]
"""Last value of each sequence, and whether it was given out."""


async def keep_facts(connection: Any, schema: str, owner: str, sequences: Mapping[str, tuple[int, bool]]) -> None:
    """Writes them beside the snapshot's tables, in the caller's transaction."""
    table = f"{quote_name(schema)}.{_FACTS}"
    await connection.execute(f"CREATE TABLE {table} (owner text NOT NULL, sequences text NOT NULL)")
    insert = f"INSERT INTO {table} VALUES ($1, $2)"  # noqa: S608 - our own names
    await connection.execute(insert, owner, json.dumps(dict(sequences)))


async def find_facts(connection: Any, schema: str, owner: str) -> Sequences | None:
    """The sequences of the owner's snapshot; None where there is none, or one of somebody else."""
    table = f"{quote_name(schema)}.{_FACTS}"
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
        return None
    select = f"SELECT sequences FROM {table} WHERE owner = $1"  # noqa: S608 - our own names
    text = await connection.fetchval(select, owner)
    return None if text is None else {name: (last, called) for name, (last, called) in json.loads(text).items()}
