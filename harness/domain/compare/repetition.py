"""Adds what only the repetition of a session showed: an answer that fails now and then fails in either pass."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import zip_longest

from harness.domain.difference import Comparison, Difference, Facet, Outcome
from harness.domain.normalise import normalise_pointer, normalise_row_pointer

REPETITION_NOTE = "differs only when the session is repeated"


def with_repetition(first: Sequence[Comparison], second: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The first pass's comparisons, each with the differences that its step shows in the second pass alone.

    A difference that both passes show, at whatever index or key, is the first pass's. A repetition that ended early
    or whose step could not be compared adds nothing.
    """
    pairs = zip_longest(first, second[: len(first)])
    return tuple(one if two is None else _with_new(one, two) for one, two in pairs)


def _with_new(one: Comparison, two: Comparison) -> Comparison:
    if not two.differences or one.outcome is Outcome.NOT_COMPARABLE:
        return one
    known = set(map(_name, one.differences))
    new = tuple(difference for difference in two.differences if _name(difference) not in known)
    if not new:
        return one
    note = REPETITION_NOTE if not one.differences else ""
    return replace(
        one,
        outcome=Outcome.DIFFERENT,
        differences=(*one.differences, *new),
        note="; ".join(part for part in (one.note, note) if part),
    )


def _name(difference: Difference) -> Hashable:
    if difference.facet is Facet.HEADER:
        pointer = difference.pointer
    else:
        normalise = normalise_row_pointer if difference.facet is Facet.ROW else normalise_pointer
        pointer = normalise(difference.pointer)
    return difference.facet, pointer, difference.kind
