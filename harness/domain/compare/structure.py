"""Finds every place where two parsed JSON values differ, in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from operator import eq, not_
from typing import Any, NamedTuple

from harness.domain.compare.align import Alignment, align
from harness.domain.compare.document import fingerprint
from harness.domain.compare.number import is_equal_quantity, is_number, is_same_number
from harness.domain.compare.pointer import ABSENT, Path
from harness.domain.compare.ties import has_same_ranks, is_cut_run
from harness.domain.difference import DifferenceKind
from harness.domain.redaction_marks import is_number_mark

DEFAULT_KEYS = ("id", "trade_id", "ticker", "key")


class Openness:
    """Why the order at a finding may be open: values of `Finding.open`."""

    CLOSED = ""
    ORDER = "order"
    """Elements with equal sort keys stand in another order."""
    CUT = "cut"
    """The element's run of equal sort keys is cut by the page's edge: another page may hold it."""


class Finding(NamedTuple):
    """One place where two values differ, before anything explains it; the paths differ where lists are shifted."""

    legacy_path: Path
    target_path: Path
    kind: DifferenceKind
    legacy: Any
    target: Any
    open: str = Openness.CLOSED

    @property
    def path(self) -> Path:
        """Where it is: in the legacy's document, unless only the target has it."""
        return self.target_path if self.legacy is ABSENT else self.legacy_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRules:
    """How lists align: names of key members in order of preference, and the sort keys whose ties are open."""

    keys: tuple[str, ...] = DEFAULT_KEYS
    tie: tuple[str, ...] = ()


def compare_values(legacy: Any, target: Any, rules: ListRules | None = None) -> list[Finding]:
    """All differences in document order; empty exactly when both values are the same JSON."""
    if legacy == target and fingerprint(legacy) == fingerprint(target):
        return []
    walk = _Walk(rules or ListRules())
    walk.compare(legacy, target)
    return walk.findings


def scalar_kind(legacy: Any, target: Any) -> DifferenceKind | None:
    """How two scalars (or values of different types) differ; None where they are the same."""
    if is_number(legacy) and is_number(target):
        if is_same_number(legacy, target):
            return None
        return DifferenceKind.REPRESENTATION if is_equal_quantity(legacy, target) else DifferenceKind.VALUE
    if type(legacy) is not type(target):
        return DifferenceKind.TYPE
    if legacy == target:
        return None
    return DifferenceKind.VALUE if is_number_mark(legacy) == is_number_mark(target) else DifferenceKind.TYPE


_EQUALITY_IS_IDENTITY = frozenset({str, int, bool, type(None)})
"""Types whose `==` is exact once the types agree; a float's is not (0.0 == -0.0)."""


_MAX_DEPTH = 100
"""What differs further down is reported as a whole at this depth: the walk uses three Python frames a level."""


class _Walk:
    """The recursion: the paths live on two stacks and are copied only where something differs."""

    def __init__(self, rules: ListRules) -> None:
        self.rules = rules
        self.findings: list[Finding] = []
        self._legacy_path: list[str | int] = []
        self._target_path: list[str | int] = []

    def compare(self, legacy: Any, target: Any) -> None:
        if len(self._legacy_path) >= _MAX_DEPTH:
            if fingerprint(legacy) != fingerprint(target):
                self._add(DifferenceKind.VALUE, legacy, target)
        elif isinstance(legacy, dict) and isinstance(target, dict):
            self._compare_objects(legacy, target)
        elif isinstance(legacy, list) and isinstance(target, list):
            self._compare_lists(legacy, target)
        else:
            kind = scalar_kind(legacy, target)
            if kind is not None:
                self._add(kind, legacy, target)

    def _compare_objects(self, legacy: dict[str, Any], target: dict[str, Any]) -> None:
        for name, value in legacy.items():
            other = target.get(name, ABSENT)
            if other is ABSENT:
                self._add_at(name, DifferenceKind.MISSING, value, ABSENT)
            elif not (type(value) is type(other) and type(value) in _EQUALITY_IS_IDENTITY and value == other):
                self._compare_at(name, name, value, other)
        for name, other in target.items():
            if name not in legacy:
                self._add_at(name, DifferenceKind.EXTRA, ABSENT, other)

    def _compare_lists(self, legacy: list[Any], target: list[Any]) -> None:
        if legacy == target and fingerprint(legacy) == fingerprint(target):
            return
        alignment = align(legacy, target, self.rules.keys)
        for i, j in _unequal(alignment, legacy, target):
            self._compare_at(i, j, legacy[i], target[j])
        self._add_unpaired(alignment, legacy, target)
        if alignment.is_reordered:
            is_open = has_same_ranks(legacy, target, alignment, self.rules.tie)
            opened = Openness.ORDER if is_open else Openness.CLOSED
            self._add(DifferenceKind.ORDER, *alignment.orders(legacy, target), opened=opened)

    def _add_unpaired(self, alignment: Alignment, legacy: list[Any], target: list[Any]) -> None:
        tie = self.rules.tie
        for i in alignment.missing:
            opened = Openness.CUT if is_cut_run(legacy[i], legacy, target, tie) else Openness.CLOSED
            self._add_at(i, DifferenceKind.MISSING, legacy[i], ABSENT, opened)
        for j in alignment.extra:
            opened = Openness.CUT if is_cut_run(target[j], target, legacy, tie) else Openness.CLOSED
            self._add_at(j, DifferenceKind.EXTRA, ABSENT, target[j], opened)

    def _compare_at(self, legacy_step: str | int, target_step: str | int, legacy: Any, target: Any) -> None:
        self._legacy_path.append(legacy_step)
        self._target_path.append(target_step)
        self.compare(legacy, target)
        self._legacy_path.pop()
        self._target_path.pop()

    def _add_at(
        self, step: str | int, kind: DifferenceKind, legacy: Any, target: Any, opened: str = Openness.CLOSED
    ) -> None:
        here, there = (*self._legacy_path, step), (*self._target_path, step)
        self.findings.append(Finding(here, there, kind, legacy, target, opened))

    def _add(self, kind: DifferenceKind, legacy: Any, target: Any, opened: str = Openness.CLOSED) -> None:
        here, there = tuple(self._legacy_path), tuple(self._target_path)
        self.findings.append(Finding(here, there, kind, legacy, target, opened))


def _unequal(alignment: Alignment, legacy: list[Any], target: list[Any]) -> Iterator[tuple[int, int]]:
    """Aligned pairs that are not the same JSON.

    Python's `==` only ever rejects here: what it calls equal is confirmed by fingerprint, all at once.
    """
    mine = [legacy[i] for i, _ in alignment.pairs]
    theirs = [target[j] for _, j in alignment.pairs]
    equal = list(map(eq, mine, theirs))
    if fingerprint(list(compress(mine, equal))) == fingerprint(list(compress(theirs, equal))):
        yield from compress(alignment.pairs, map(not_, equal))
    else:
        yield from alignment.pairs
