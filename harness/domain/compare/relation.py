"""Checks a noisy value by what must still hold between the two sides; nothing is ever masked."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Any, NamedTuple

from harness.domain.compare.clock import ClockValue, embedded_clock, parse_clock
from harness.domain.compare.number import Number
from harness.domain.compare.timeline import Timelines
from harness.domain.difference import DifferenceKind

_TOKEN = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]+")
_CLASSES = (
    ("digits", re.compile(r"[0-9]+")),
    ("hex", re.compile(r"[0-9a-f]+")),
    ("HEX", re.compile(r"[0-9A-F]+")),
    ("lower", re.compile(r"[0-9a-z]+")),
    ("upper", re.compile(r"[0-9A-Z]+")),
    ("mixed", re.compile(r"[0-9A-Za-z]+")),
)
_UNIQUE_LENGTH = 16
"""A random token at least this long comes once only, unless it is the same one."""
_CHANCE_LENGTH = 12
"""A random token shorter than this may hold digits only by chance."""
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_WIDEST_RATIO = 100.0
"""A random number may leave the learned range by this factor, and a counter's steps may differ by it."""
_SMALLEST = 1e-9
_TIGHT_RATIO = 1.1
"""Samples nearer to each other than this are of a number whose sign is no matter of chance."""
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


class Sample(NamedTuple):
    """One side's values at one place: in the first pass and in its repetition."""

    first: Any
    second: Any


class Problem(NamedTuple):
    """What does not hold between two noisy values."""

    kind: DifferenceKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and where a value was seen: what the clock relation needs."""

    timelines: Timelines
    step: int
    place: Hashable
    zone: tzinfo


def relation_problem(legacy: Sample, target: Sample, moment: Moment) -> Problem | None:
    """None where the target's noise is of the legacy's kind: clock, token, counter or number in its range."""
    if _json_type(legacy.first) != _json_type(target.first):
        return Problem(DifferenceKind.TYPE, "noisy values of different types")
    clock = _clock_problem(legacy, target, moment)
    if clock is not None:
        return clock if clock.reason else None
    if isinstance(legacy.first, str):
        return _text_problem(legacy, target, moment)
    if isinstance(legacy.first, bool) or legacy.first is None:
        return None
    return _number_problem(legacy, target)


def is_day_change(legacy: Any, target: Any, moment: Moment) -> bool:
    """Whether two texts differ only in a date that each side read on its own day: midnight passed between them."""
    if not isinstance(legacy, str) or not isinstance(target, str):
        return False
    mine, theirs = embedded_clock(legacy, moment.zone), embedded_clock(target, moment.zone)
    if mine is None or theirs is None or mine[0] != theirs[0] or mine[1].form != theirs[1].form:
        return False
    lines = moment.timelines
    return (
        min(mine[1].granularity, theirs[1].granularity) >= _DAY
        and mine[1].may_lie_in(lines.legacy.session(moment.step))
        and theirs[1].may_lie_in(lines.target.session(moment.step))
    )


def _clock_problem(legacy: Sample, target: Sample, moment: Moment) -> Problem | None:
    """None where the legacy's value is no clock; an empty reason where both clocks agree."""
    mine = [parse_clock(value, moment.zone) for value in legacy]
    theirs = [parse_clock(value, moment.zone) for value in target]
    if mine[0] is None or (not isinstance(legacy.first, str) and not _is_now(mine[0], moment)):
        return None
    if theirs[0] is None:
        return Problem(DifferenceKind.CLOCK, "the target prints no clock value")
    fractions = [any(clock.has_fraction for clock in clocks if clock) for clocks in (mine, theirs)]
    if mine[0].form != theirs[0].form or fractions[0] != fractions[1]:
        return Problem(DifferenceKind.CLOCK, "the clocks are printed in different forms")
    if {clock.offset for clock in mine if clock}.isdisjoint(clock.offset for clock in theirs if clock):
        return Problem(DifferenceKind.CLOCK, "the clocks are printed in different zones")
    if _is_coarse(mine) != _is_coarse(theirs):
        return Problem(DifferenceKind.CLOCK, "the clocks are read to different fractions of a second")
    reason = moment.timelines.clock_problem(mine[0], theirs[0], moment.step, moment.place)
    return Problem(DifferenceKind.CLOCK, reason)


def _is_coarse(clocks: list[ClockValue | None]) -> bool:
    """Whether only milliseconds fill microseconds that are printed: in every sample, and so not by chance."""
    fine = [clock for clock in clocks if clock and clock.has_fraction and clock.granularity < _MILLISECOND]
    return len(fine) == len(clocks) and not any(clock.at.microsecond % 1000 for clock in fine)


def _is_now(clock: Any, moment: Moment) -> bool:
    return bool(clock.may_lie_in(moment.timelines.legacy.session(moment.step)))


def _text_problem(legacy: Sample, target: Sample, moment: Moment) -> Problem | None:
    clock = _embedded_problem(legacy, target, moment)
    if clock:
        return Problem(DifferenceKind.CLOCK, clock)
    texts = (legacy.first, legacy.second, target.first, target.second)
    if not all(isinstance(text, str) for text in texts):
        return Problem(DifferenceKind.TYPE, "noisy values of different types")
    if all(_UUID.fullmatch(text) for text in texts):
        return _uuid_problem(texts, moment)
    tokens = [_TOKEN.findall(text) for text in texts]
    if len({len(found) for found in tokens}) == 1:
        return _tokens_problem(tokens, moment)
    same_length = len({len(text) for text in texts}) == 1
    if same_length and _is_like(_class_of(texts[:2]), _class_of(texts[2:]), len(texts[0])):
        return None
    return Problem(DifferenceKind.VALUE, "noisy texts of different shapes")


def _uuid_problem(texts: tuple[str, ...], moment: Moment) -> Problem | None:
    """As a whole: a part of four digits may well come twice."""
    versions = [_version_of(side) for side in (texts[:2], texts[2:])]
    is_other_version = "" not in versions and versions[0] != versions[1]
    if is_other_version or not _is_like(_letters_of(texts[:2]), _letters_of(texts[2:]), 0):
        return Problem(DifferenceKind.VALUE, "uuids of different versions or spellings")
    if texts[0] == texts[1] or texts[2] == texts[3]:
        return Problem(DifferenceKind.VALUE, "a uuid that is stable on one side differs")
    reason = moment.timelines.token_problem(texts[0], texts[2])
    return Problem(DifferenceKind.VALUE, reason) if reason else None


def _version_of(texts: Sequence[str]) -> str:
    """The version of RFC 9562 that all are of; empty where they are of none."""
    versions = {text[14] if text[19].lower() in "89ab" else "" for text in texts}
    return versions.pop() if len(versions) == 1 else ""


def _letters_of(texts: Sequence[str]) -> str:
    return _class_of([text.replace("-", "") for text in texts])


def _embedded_problem(legacy: Sample, target: Sample, moment: Moment) -> str:
    mine, theirs = embedded_clock(legacy.first, moment.zone), embedded_clock(target.first, moment.zone)
    if mine is None or theirs is None or not mine[1].may_lie_in(moment.timelines.legacy.session(moment.step)):
        return ""
    return moment.timelines.clock_problem(mine[1], theirs[1], moment.step, moment.place)


def _tokens_problem(tokens: list[list[str]], moment: Moment) -> Problem | None:
    for one, two, three, four in zip(*tokens, strict=True):
        if one == three:
            continue
        if one == two or three == four:
            return Problem(DifferenceKind.VALUE, "a part that is stable on one side differs")
        same_length = len(one) == len(three) or (len(one) != len(two) and len(three) != len(four))
        if not same_length or not _is_like(_class_of([one, two]), _class_of([three, four]), len(one)):
            return Problem(DifferenceKind.VALUE, "noisy tokens of different shapes")
        reason = moment.timelines.token_problem(one, three) if min(len(one), len(three)) >= _UNIQUE_LENGTH else ""
        if reason:
            return Problem(DifferenceKind.VALUE, reason)
    return None


def _class_of(texts: Any) -> str:
    joined = "".join(texts)
    return next((name for name, pattern in _CLASSES if pattern.fullmatch(joined)), "other")


def _is_like(first: str, second: str, length: int) -> bool:
    return first == second or (length < _CHANCE_LENGTH and "digits" in (first, second))


def _number_problem(legacy: Sample, target: Sample) -> Problem | None:
    mine, theirs = ([_quantity(value) for value in sample] for sample in (legacy, target))
    if None in mine or None in theirs:
        return Problem(DifferenceKind.TYPE, "noisy values of different types")
    if all(type(value) is int for value in (*legacy, *target)) and _counts_alike(mine, theirs):
        return None
    # The largest of each side: the smallest of a few random numbers is as small as chance makes it.
    sizes = [max(map(abs, values)) for values in (mine, theirs)]
    if max(sizes) > max(min(sizes), _SMALLEST) * _WIDEST_RATIO:
        return Problem(DifferenceKind.VALUE, "a noisy number outside its range")
    if _has_other_sign(mine, theirs):
        return Problem(DifferenceKind.VALUE, "a noisy number of the other sign")
    return None


def _has_other_sign(mine: list[Any], theirs: list[Any]) -> bool:
    signs = [{value < 0 for value in values} for values in (mine, theirs)]
    if len(signs[0]) > 1 or len(signs[1]) > 1 or signs[0] == signs[1]:
        return False
    # Four fractions around zero have such signs once in eight times by chance; counts and amounts mostly do not.
    return all(type(value) is int for value in (*mine, *theirs)) or (_is_tight(mine) and _is_tight(theirs))


def _counts_alike(mine: list[Any], theirs: list[Any]) -> bool:
    """Whether both go the same way, at steps of one size."""
    steps = [abs(values[1] - values[0]) for values in (mine, theirs)]
    is_alike = max(steps) <= max(min(steps), 1) * _WIDEST_RATIO
    return is_alike and _direction(mine) == _direction(theirs)


def _is_tight(values: list[Any]) -> bool:
    sizes = sorted(map(abs, values))
    return bool(sizes[1] <= sizes[0] * _TIGHT_RATIO)


def _quantity(value: Any) -> Any:
    if isinstance(value, Number):
        return float(value.text)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _direction(values: list[Any]) -> int:
    return int(values[1] > values[0]) - int(values[1] < values[0])


def _json_type(value: Any) -> str:
    return "number" if type(value) is Number else type(value).__name__
