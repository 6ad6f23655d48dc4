"""What a legacy cell stands for on the target where the mapping says so: another label, or another unit."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, Inexact, localcontext
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.domain.cell_values import Family, cell_text, parse_moment
from harness.domain.rows import Cell

OTHERS = "*"
"""The enum key that stands for every value that is not named; its one possible value is itself: they stay."""
UNIT_RULES = "`* NUMBER`, `/ NUMBER`, `epoch s`, `epoch ms`, `epoch us`, `utc` and `zone NAME`"
_FACTOR = re.compile(r"([*/])\s*(\d+(?:\.\d+)?)")
_EPOCHS = {"epoch s": 0, "epoch ms": 3, "epoch us": 6}
_ZONE = re.compile(r"zone ([A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = Context(prec=80, traps=[Inexact])


class NoCounterpart(ValueError):
    """The mapping has no value for a cell; the message says why, without table, row and column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRule:
    """Labels by the legacy value's text, or a unit. A rule with neither changes nothing, and is false."""

    labels: Mapping[str, Cell] = field(default_factory=dict)
    unit: str = ""
    family: Family = Family.OTHER
    """The target column's."""

    def __bool__(self) -> bool:
        return bool(self.labels or self.unit)

    def apply(self, cell: Cell) -> Cell:
        """The cell that the target is to hold; NULL stays NULL.

        Guarantees that numbers are converted exactly, as decimals of their text; only a float's epoch is rounded, to
        the microsecond.

        Raises:
            NoCounterpart: the value is not among the labels, is no number, or has no exact counterpart.
        """
        if cell is None or not self:
            return cell
        return self._labelled(cell) if self.labels else self._converted(cell)

    def find(self, cell: Cell) -> tuple[Cell, str]:
        """The target's cell and nothing, or the cell itself and why it has no counterpart."""
        try:
            return self.apply(cell), ""
        except NoCounterpart as error:
            return cell, str(error)

    def apply_all(self, cells: Sequence[Cell]) -> tuple[tuple[Cell, ...], Mapping[int, str]]:
        """All cells as `find` gives them, and why by position."""
        if not self:
            return tuple(cells), {}
        found = [self.find(cell) for cell in cells]
        return tuple(cell for cell, _ in found), {place: why for place, (_, why) in enumerate(found) if why}

    def _labelled(self, cell: Cell) -> Cell:
        text = cell if isinstance(cell, str) else cell_text(cell)
        if text in self.labels and text != OTHERS:
            return self.labels[text]
        if OTHERS in self.labels:
            return cell
        covered = ", ".join(self.labels)
        raise NoCounterpart(f"the value {cell_text(cell)} is not covered by the mapping's enum (that has {covered})")

    def _converted(self, cell: Cell) -> Cell:
        zone = find_zone(self.unit)
        if zone is not None:
            return self._in_utc(cell, zone)
        if isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal)):
            raise NoCounterpart(f"{cell_text(cell)} is no number, so that the unit `{self.unit}` cannot be converted")
        if not math.isfinite(cell):
            if self.unit in _EPOCHS:
                raise NoCounterpart(f"{cell} is no moment")
            return cell
        number = Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell)
        return self._moment(cell, number) if self.unit in _EPOCHS else self._scaled(number)

    def _in_utc(self, cell: Cell, zone: tzinfo) -> Cell:
        moment = parse_moment(cell) if isinstance(cell, str) else None
        if moment is None:
            raise NoCounterpart(f"{cell_text(cell)} is no time, so that it is none in the unit `{self.unit}`")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
            if moment.utcoffset() != moment.replace(fold=1).utcoffset():
                raise NoCounterpart(f"{cell_text(cell)} was twice or never by the clocks of `{self.unit}`")
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise NoCounterpart(f"{cell_text(cell)} is a moment beyond the years 1 to 9999") from None
        return self._spelled(moment)

    def _scaled(self, number: Decimal) -> Cell:
        sign, factor = parse_factor(self.unit)
        try:
            with localcontext(_EXACT):
                scaled = number * factor if sign == "*" else number / factor
        except DecimalException:
            raise NoCounterpart(f"{number} {self.unit} has no end, so that it would be rounded") from None
        if self.family is Family.FLOAT:
            return float(scaled)
        if self.family is Family.INTEGER:
            if scaled != scaled.to_integral_value():
                raise NoCounterpart(f"{number} {self.unit} is {scaled:f}, no whole number")
            return int(scaled)
        return scaled

    def _moment(self, cell: Cell, number: Decimal) -> Cell:
        # In SQLite's spelling, so that it is carried and compared as any other time.
        micros = number.scaleb(6 - _EPOCHS[self.unit])
        whole = micros.to_integral_value(rounding=ROUND_HALF_EVEN)
        if whole != micros and not isinstance(cell, float):
            raise NoCounterpart(f"{number} is finer than a microsecond")
        try:
            moment = _EPOCH + timedelta(microseconds=int(whole))
        except OverflowError:
            raise NoCounterpart(f"{number} is a moment beyond the years 1 to 9999") from None
        return self._spelled(moment)

    def _spelled(self, moment: datetime) -> Cell:
        zone = "+00:00" if self.family is Family.INSTANT else ""
        if self.family is Family.DATE and moment.time() == moment.min.time():
            return moment.date().isoformat()
        return moment.replace(tzinfo=None).isoformat(" ", "microseconds") + zone


NO_RULE = CellRule()


def is_unit(text: str) -> bool:
    """Whether a unit's rule can be used."""
    return (
        text in _EPOCHS
        or find_zone(text) is not None
        or (_FACTOR.fullmatch(text) is not None and parse_factor(text)[1] != 0)
    )


@cache
def find_zone(unit: str) -> tzinfo | None:
    """The zone that a unit says times without an offset are in; None where it is another unit, or no zone."""
    if unit == "utc":
        return UTC
    found = _ZONE.fullmatch(unit)
    try:
        return None if found is None else ZoneInfo(found[1])
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def parse_factor(unit: str) -> tuple[str, Decimal]:
    """`*` or `/`, and the number behind it.

    Raises:
        ValueError: the unit is no factor.
    """
    found = _FACTOR.fullmatch(unit)
    if found is None:
        raise ValueError(f"no factor: {unit!r}")
    return found[1], Decimal(found[2])
