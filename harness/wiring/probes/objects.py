"""P2.1, P2.2 and P2.4: objects are equal on both sides, are completed by what they lack, and stay whole."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from harness.adapters.parquet import cut_table, read_object
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.difference import Difference
from harness.domain.objects import ObjectContent, ObjectState, TableObject, UnreadableObject
from harness.uninterrupted import run_to_its_end
from harness.wiring.objects import migrate_directory
from harness.wiring.probes.cache_pair import CacheCases, CachePair, cache_pair
from harness.wiring.probes.context import ProbeContext

_SHOWN = 3
_CODEC = frozenset({"SNAPPY"})
_PARITY, _REFRESH, _WHOLE = "P2.1", "P2.2", "P2.4"
_WATCH_PERIOD_S = 0.2

Days = tuple[date, date]


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """One course of events for all three: each fills from nothing, is migrated, is completed, has many writers."""
    async with cache_pair(context, "objects") as (pair, cases):
        context.tell("filling the legacy's cache")
        await pair.fill_legacy(cases.tickers)
        checks = {_PARITY: [await _check_filled(pair, cases), await _check_migrated(context, pair)]}
        checks[_REFRESH] = await _check_completed(context, pair, cases)
        checks[_WHOLE] = await _check_writers(context, pair, cases)
    facts = {name: [f"{each.name}: {each.passed} {each.detail}" for each in found] for name, found in checks.items()}
    path = context.write_evidence("objects", facts)
    return tuple(
        CriterionEvidence(criterion_id=criterion.id, checks=tuple(checks[criterion.id]), evidence_paths=(path,))
        for criterion in criteria
    )


async def _check_filled(pair: CachePair, cases: CacheCases) -> Check:
    await pair.empty_target()
    await pair.fill_target(cases.tickers)
    return _equality("what each system fetched itself is equal", *await pair.compare())


async def _check_migrated(context: ProbeContext, pair: CachePair) -> Check:
    await pair.empty_target()
    await migrate_directory(pair.legacy_cache, pair.bucket, context.settings.objects)
    return _equality("what was migrated is equal", *await pair.compare())


async def _check_completed(context: ProbeContext, pair: CachePair, cases: CacheCases) -> list[Check]:
    """A cache that lacks days and tickers is migrated, then completed by the target, and then needs nothing more."""
    lacking = context.temporary_directory("objects-lacking")
    known = await run_to_its_end(asyncio.to_thread(_write_lacking, pair.legacy_cache, lacking, cases))
    await pair.empty_target()
    await migrate_directory(lacking, pair.bucket, context.settings.objects)
    before = len(await pair.asked())
    await pair.fill_target(cases.tickers)
    asked = (await pair.asked())[before:]
    completed = _equality("completed, it equals one that was fetched at once", *await pair.compare())
    await pair.fill_target(cases.tickers)
    again = (await pair.asked())[before + len(asked) :]
    return [
        completed,
        _check_asked(asked, cases, known),
        Check(name="a second time asks for nothing", passed=not again, detail=f"{len(again)} requests"),
    ]


def _write_lacking(complete: Path, lacking: Path, cases: CacheCases) -> Mapping[str, Days]:
    """Files as in `complete`, without the last days and some columns; returns which days of which column are left."""
    known: dict[str, Days] = {}
    for path in sorted(complete.glob("*.parquet")):
        body = cut_table(path.read_bytes(), rows=cases.lost_days, columns=cases.lost_tickers)
        (lacking / path.name).write_bytes(body)
        known |= _days_with_values(read_object(path.name, body))
    return known


def _days_with_values(content: ObjectContent) -> Iterator[tuple[str, Days]]:
    assert isinstance(content, TableObject)  # noqa: S101 - it was just written as one
    days = next([str(cell) for cell in column.cells] for column in content.columns if column.name in content.index)
    for column in content.columns:
        if column.name not in content.index:
            held = [day for day, cell in zip(days, column.cells, strict=True) if str(cell) != "nan"]
            yield column.name, (_day(held[0]), _day(held[-1]))


def _check_asked(asked: Sequence[str], cases: CacheCases, known: Mapping[str, Days]) -> Check:
    """Days that were there are not asked for again, but for a few that show whether old and new prices fit."""
    pattern = re.compile(cases.asked_pattern)
    found = [(request, pattern.search(request)) for request in asked]
    wrong = [
        request
        for request, match in found
        if match is None
        or _days_in_common((_day(match["first"]), _day(match["last"])), known.get(match["ticker"])) > cases.overlap_days
    ]
    unasked = sorted(set(cases.tickers) - {match["ticker"] for _, match in found if match is not None})
    return Check(
        name="only what is missing is asked for",
        passed=not wrong and not unasked,
        detail=f"{len(asked)} requests; too much: {wrong[:_SHOWN]}; not asked for: {unasked}",
    )


def _days_in_common(asked: Days, known: Days | None) -> int:
    if known is None:
        return 0
    return max(0, (min(asked[1], known[1]) - max(asked[0], known[0])).days + 1)


def _day(text: str) -> date:
    return date.fromisoformat(text[: len("2026-01-01")])


async def _check_writers(context: ProbeContext, pair: CachePair, cases: CacheCases) -> list[Check]:
    """Groups of tickers at once, over what is there, while every object that can be seen is looked at."""
    context.tell("writing to the cache from several sides at once")
    await pair.fill_legacy([ticker for group in cases.writers for ticker in group])
    await pair.empty_target()
    seen: list[ObjectContent] = []
    watching = asyncio.create_task(_watch(pair, seen))
    try:
        await pair.fill_target(*cases.writers)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await _look(pair, seen)
    codecs = {codec for content in seen if isinstance(content, TableObject) for codec in content.codecs}
    torn = [content.reason for content in seen if isinstance(content, UnreadableObject)]
    return [
        _equality("nothing of any writer is lost", *await pair.compare()),
        Check(
            name="every object is whole at every moment",
            passed=bool(seen) and not torn,
            detail=f"{len(seen)} looks; {torn[:_SHOWN]}",
        ),
        Check(name="compression is snappy", passed=codecs == _CODEC, detail=", ".join(sorted(codecs))),
    ]


async def _watch(pair: CachePair, seen: list[ObjectContent]) -> None:
    while True:
        await _look(pair, seen)
        await asyncio.sleep(_WATCH_PERIOD_S)


async def _look(pair: CachePair, seen: list[ObjectContent]) -> None:
    keys = [key for key in await pair.bucket.list_keys() if key.endswith(".parquet")]
    bodies = await pair.bucket.read_present(keys)
    seen += [read_object(key, body) for key, body in bodies.items()]


def _equality(name: str, legacy: ObjectState, differences: Sequence[Difference]) -> Check:
    values = sum(content.value_count for content in legacy.values() if isinstance(content, TableObject))
    shown = "; ".join(f"{each.pointer}: {each.legacy} against {each.target}" for each in differences[:_SHOWN])
    detail = f"{len(differences)} differences in {values} values of {len(legacy)} objects" + (
        f": {shown}" if shown else ""
    )
    return Check(name=name, passed=values > 0 and not differences, detail=detail)
