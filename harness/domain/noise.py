"""Learns which values of a side differ from themselves: two passes from the same state, some time apart."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import zip_longest

from harness.domain.compare.body import compare_bodies
from harness.domain.compare.content import Decoder, decode
from harness.domain.compare.pointer import ABSENT, to_pointer
from harness.domain.compare.relation import Sample
from harness.domain.compare.structure import ListRules
from harness.domain.difference import DifferenceKind
from harness.domain.exchange import Exchange, Headers, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What one side's answer to one step does not repeat, by pointer in its first answer and by header name.

    Only values are learned: where a pass has a member, a length or a type that the other has not, nothing is excused.
    """

    values: Mapping[str, Sample] = field(default_factory=dict)
    orders: frozenset[str] = frozenset()
    headers: Mapping[str, Sample] = field(default_factory=dict)


QUIET = Noise()


def learn_noise(first: Exchange, second: Exchange | None, decoders: Mapping[str, Decoder], rules: ListRules) -> Noise:
    """Compares a side with itself."""
    if second is None or first.response is None or second.response is None:
        return QUIET
    values: Mapping[str, Sample] = {}
    orders: frozenset[str] = frozenset()
    if first.response.body != second.response.body:
        values, orders = _learn_body(first.response, second.response, decoders, rules)
    headers = _learn_headers(first.response.headers, second.response.headers)
    return Noise(values=values, orders=orders, headers=headers) if values or orders or headers else QUIET


def learn_side(
    steps: Sequence[Exchange], repeat: Sequence[Exchange], decoders: Mapping[str, Decoder], rules: ListRules
) -> tuple[Noise, ...]:
    """The noise of every step of one side; quiet where the repetition stopped early or took another course."""
    second = [*repeat, *([None] * len(steps))]
    return tuple(learn_noise(one, two, decoders, rules) for one, two in zip(steps, second, strict=False))


def _learn_body(
    first: Response, second: Response, decoders: Mapping[str, Decoder], rules: ListRules
) -> tuple[Mapping[str, Sample], frozenset[str]]:
    found = compare_bodies(decode(first, decoders), decode(second, decoders), rules).findings
    values = {
        to_pointer(finding.legacy_path): Sample(finding.legacy, finding.target)
        for finding in found
        if finding.kind in (DifferenceKind.VALUE, DifferenceKind.REPRESENTATION) and finding.legacy is not ABSENT
    }
    orders = (to_pointer(finding.legacy_path) for finding in found if finding.kind is DifferenceKind.ORDER)
    return values, frozenset(orders)


def _learn_headers(first: Headers, second: Headers) -> Mapping[str, Sample]:
    if first == second:
        return {}
    # A name that has the same values at the same positions needs no look.
    unequal = [pair for pair in zip_longest(first, second, fillvalue=("", "")) if pair[0] != pair[1]]
    names = {name.lower() for pair in unequal for name, _ in pair}
    mine, theirs = _by_name(first, names), _by_name(second, names)
    return {
        name: Sample(", ".join(mine[name]), ", ".join(theirs[name]))
        for name in mine.keys() & theirs.keys()
        if mine[name] != theirs[name] and len(mine[name]) == len(theirs[name])
    }


def _by_name(headers: Headers, names: Set[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in names:
            continue
        if lower == "set-cookie":
            lower = f"set-cookie/{value.partition('=')[0].strip()}"
        grouped.setdefault(lower, []).append(value)
    return grouped
