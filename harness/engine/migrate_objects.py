"""Carries a directory of objects into a bucket, key for key: all of them or none, and every value verified."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from harness.domain.compare_objects import compare_objects
from harness.domain.errors import DataRefused
from harness.domain.objects import ObjectContent, TableObject, UnreadableObject
from harness.uninterrupted import run_to_its_end

_SHOWN = 3

ReadObject = Callable[[str, bytes], ObjectContent]


class ObjectSource(Protocol):
    """Where the objects come from."""

    async def read(self) -> Mapping[str, bytes]:
        """Every object's content by key."""


class ObjectTarget(Protocol):
    """Where the objects go."""

    async def list_keys(self) -> Sequence[str]:
        """Every key that is there."""

    async def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of these objects."""

    async def put_new(self, key: str, body: bytes) -> None:
        """Writes an object that is not there yet; raises DataRefused where it is."""

    async def remove(self, key: str) -> None:
        """Removes an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCount:
    """One object's outcome; `rows` and `values` are None for what is no table."""

    key: str
    size_bytes: int
    rows: int | None
    values: int | None
    is_written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMigration:
    """What was done; an object that was there with equal content is verified and not written."""

    objects: tuple[ObjectCount, ...]
    is_dry_run: bool


async def migrate_objects(
    source: ObjectSource, target: ObjectTarget, *, read_object: ReadObject, is_dry_run: bool = False
) -> ObjectMigration:
    """Reads everything before anything is written, writes what is absent, and compares every value read back.

    Where a part fails or the task is cancelled, what was written is removed again. One that was killed goes on where it
    ended, when it is started again. A dry run writes nothing.

    Raises:
        DataRefused: an object cannot be read, others are there, or what was read back differs; nothing is left behind.
    """
    legacy = await source.read()
    contents = _readable(legacy, read_object)
    present = await target.list_keys()
    _refuse_others(present, legacy)
    _refuse_differing(contents, await target.read(present), read_object, "the target already holds other objects")
    absent = [key for key in legacy if key not in present]
    if not is_dry_run:
        await _write(source, target, {key: legacy[key] for key in absent}, read_object)
    return ObjectMigration(
        objects=tuple(_count(key, legacy[key], contents[key], is_written=key in absent) for key in legacy),
        is_dry_run=is_dry_run,
    )


async def _write(
    source: ObjectSource, target: ObjectTarget, bodies: Mapping[str, bytes], read_object: ReadObject
) -> None:
    written: list[str] = []
    try:
        for key, body in bodies.items():
            await run_to_its_end(_put(target, key, body, written))
        # The legacy is read again: it may be in use, and what it holds now is what the target must hold.
        now = {key: body for key, body in (await source.read()).items() if key in bodies}
        contents = _readable(now, read_object)
        _refuse_differing(contents, await target.read(written), read_object, "the objects read back differ")
    except BaseException:
        await run_to_its_end(_remove(target, written))
        raise


async def _put(target: ObjectTarget, key: str, body: bytes, written: list[str]) -> None:
    await target.put_new(key, body)
    written.append(key)


async def _remove(target: ObjectTarget, keys: Sequence[str]) -> None:
    for key in keys:
        await target.remove(key)


def _readable(bodies: Mapping[str, bytes], read_object: ReadObject) -> dict[str, ObjectContent]:
    contents = {key: read_object(key, body) for key, body in bodies.items()}
    bad = {key: content for key, content in contents.items() if isinstance(content, UnreadableObject)}
    if bad:
        told = "; ".join(f"{key} is {content.reason}" for key, content in islice(bad.items(), _SHOWN))
        hint = "Restore these files, or remove them: the target fetches anew what it lacks. Nothing was written."
        raise DataRefused(f"{len(bad)} of {len(bodies)} files cannot be read: {told}", hint=hint)
    return contents


def _refuse_others(present: Sequence[str], legacy: Mapping[str, bytes]) -> None:
    others = [key for key in present if key not in legacy]
    if others:
        told = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
        hint = "Give an empty prefix or bucket; nothing was written."
        raise DataRefused(f"the target already holds other objects: {told}", hint=hint)


def _refuse_differing(
    legacy: Mapping[str, ObjectContent], bodies: Mapping[str, bytes], read_object: ReadObject, what: str
) -> None:
    target = {key: read_object(key, body) for key, body in bodies.items()}
    found = list(islice(compare_objects({key: legacy[key] for key in target if key in legacy}, target), _SHOWN + 1))
    if found:
        told = "; ".join(f"{each.pointer} {each.kind} (legacy {each.legacy}, target {each.target})" for each in found)
        hint = "Stop what writes to either side, or give an empty prefix; nothing is left behind."
        raise DataRefused(f"{what}: {told}", hint=hint)


def _count(key: str, body: bytes, content: ObjectContent, *, is_written: bool) -> ObjectCount:
    table = content if isinstance(content, TableObject) else None
    return ObjectCount(
        key=key,
        size_bytes=len(body),
        rows=table.row_count if table else None,
        values=table.value_count if table else None,
        is_written=is_written,
    )
