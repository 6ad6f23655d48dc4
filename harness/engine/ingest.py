"""A bulk load of a table, invoked like its schedule invokes it: is it right, does it repeat, does it survive a kill."""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from harness.domain.criterion import Check

Key = tuple[str, ...]
Values = tuple[str | None, ...]
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A table: values by key as the database prints them, and by key what tells whether the row was written again."""

    rows: Mapping[Key, Values]
    versions: Mapping[Key, str]

    @property
    def checksum(self) -> str:
        """Of keys and values, in order of the keys."""
        return checksum(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """What one invocation came to; `duration_s` from the event to the answer, a cold start included."""

    is_answered: bool
    duration_s: float
    answer: str


class IngestingSystem(Protocol):
    """The function that loads, the table that it loads, and what it says it could not load."""

    async def invoke(self) -> Invoked:
        """Sends the event and waits for the answer."""

    async def invoke_and_kill(self) -> Invoked:
        """Sends the event, and kills the environment with SIGKILL while it writes into the table."""

    async def read(self) -> Loaded:
        """The whole table."""

    async def clear(self) -> None:
        """Empties the table."""

    async def read_failed(self) -> Set[str]:
        """The keys, such as tickers, that the system has recorded as failed so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLoad:
    """What must be in the table, and what must be recorded as failed, told without asking the system."""

    rows: Mapping[Key, Values]
    failed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFindings:
    """Checks, and how long each load that came to its end took."""

    checks: tuple[Check, ...]
    durations_s: tuple[float, ...]
    rows: int
    checksum: str


async def measure_ingest(system: IngestingSystem, expected: ExpectedLoad) -> IngestFindings:
    """Four loads: into an empty table, again, killed while writing into an empty one, and after that.

    Raises:
        SystemUnavailable: the system cannot be invoked at all.
    """
    await system.clear()
    first = await system.invoke()
    loaded = await system.read()
    failed = await system.read_failed()
    second = await system.invoke()
    repeated = await system.read()
    await system.clear()
    killed = await system.invoke_and_kill()
    after_kill = await system.read()
    last = await system.invoke()
    recovered = await system.read()
    checks = (
        _check_answers([first, second, last]),
        _check_rows("every row and value is loaded", loaded, expected),
        _check_failed(failed, expected.failed),
        _check_untouched(loaded, repeated),
        _check_killed(killed, after_kill),
        _check_rows("a load after the kill gives the same table", recovered, expected),
    )
    durations = tuple(each.duration_s for each in (first, second, last) if each.is_answered)
    return IngestFindings(checks=checks, durations_s=durations, rows=len(loaded.rows), checksum=loaded.checksum)


def checksum(rows: Mapping[Key, Values]) -> str:
    """SHA-256 over rows in order of their keys; NULL and the empty text differ."""
    digest = hashlib.sha256()
    for key in sorted(rows):
        digest.update(repr((key, rows[key])).encode())
    return digest.hexdigest()


def _check_answers(invocations: Sequence[Invoked]) -> Check:
    broken = [each.answer[:200] for each in invocations if not each.is_answered]
    detail = (
        f"failed: {'; '.join(broken)}" if broken else f"{len(invocations)} loads, the last: {invocations[-1].answer}"
    )
    return Check(name="each load is answered", passed=not broken, detail=detail)


def _check_rows(name: str, loaded: Loaded, expected: ExpectedLoad) -> Check:
    missing = sorted(expected.rows.keys() - loaded.rows.keys())
    surplus = sorted(loaded.rows.keys() - expected.rows.keys())
    common = expected.rows.keys() & loaded.rows.keys()
    changed = sorted(key for key in common if expected.rows[key] != loaded.rows[key])
    parts = [_named(missing, "missing"), _named(surplus, "surplus")]
    parts += [f"{key}: {loaded.rows[key]} instead of {expected.rows[key]}" for key in changed[:_SHOWN]]
    parts += [f"{len(changed)} differ"] if changed else []
    found = f"{len(loaded.rows):,} of {len(expected.rows):,} rows, SHA-256 {loaded.checksum}"
    is_right = bool(expected.rows) and loaded.checksum == checksum(expected.rows)
    return Check(name=name, passed=is_right, detail="; ".join([found, *filter(None, parts)]))


def _check_failed(failed: Set[str], expected: frozenset[str]) -> Check:
    parts = [
        _named(sorted(expected - failed), "not recorded"),
        _named(sorted(failed - expected), "recorded without cause"),
    ]
    detail = "; ".join(filter(None, parts)) or f"{len(failed)} recorded, which have no rows to load"
    return Check(name="what cannot be loaded is recorded", passed=bool(expected) and failed == expected, detail=detail)


def _check_untouched(before: Loaded, after: Loaded) -> Check:
    written = [key for key in after.versions if after.versions[key] != before.versions.get(key)]
    lost = before.versions.keys() - after.versions.keys()
    detail = f"{len(written):,} rows written again and {len(lost):,} lost, of {len(before.versions):,}"
    return Check(
        name="a second load touches no row", passed=bool(before.rows) and not written and not lost, detail=detail
    )


def _check_killed(killed: Invoked, after: Loaded) -> Check:
    detail = f"the invocation ended with {killed.answer[:120]}; {len(after.rows):,} rows are there"
    passed = not killed.is_answered and not after.rows
    return Check(name="a load that is killed while it writes leaves nothing", passed=passed, detail=detail)


def _named(keys: Sequence[object], what: str) -> str:
    shown = ", ".join(map(str, keys[:_SHOWN]))
    return f"{len(keys):,} {what}: {shown}{' …' if len(keys) > _SHOWN else ''}" if keys else ""
