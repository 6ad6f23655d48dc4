"""Learns which values of a side differ from themselves: two passes from the same state, some time apart."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from harness.domain.compare.body import compare_bodies
from harness.domain.compare.content import decode
from harness.domain.compare.headers import HeaderRules
from harness.domain.compare.pointer import ABSENT, to_pointer
from harness.domain.compare.relation import Sample
from harness.domain.compare.rules import Rules
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
    is_steady: bool = True
    """False where the answers differ in more than such values: in status, members, types, or one was not given."""

    def is_like(self, other: "Noise") -> bool:
        """Whether both sides repeat all but the same places."""
        if not (self.is_steady and other.is_steady):
            return False
        places = ((noise.values.keys(), noise.orders, noise.headers.keys()) for noise in (self, other))
        return next(places) == next(places)


QUIET = Noise()
_UNSTEADY = Noise(is_steady=False)


def learn_noise(first: Exchange, second: Exchange | None, rules: Rules) -> Noise:
    """Compares a side with itself."""
    if second is None:
        return QUIET
    if first.response is None or second.response is None:
        return QUIET if first.response is second.response else _UNSTEADY
    is_steady = first.response.status == second.response.status
    noise = QUIET if is_steady else _UNSTEADY
    if first.response.body != second.response.body:
        noise = _learn_body(first.response, second.response, rules, is_steady=is_steady)
    if first.response.headers == second.response.headers:
        return noise
    headers, is_steady = _learn_headers(first.response.headers, second.response.headers, rules.headers)
    if is_steady and not headers:
        return noise
    return replace(noise, headers=headers, is_steady=is_steady and noise.is_steady)


def learn_side(steps: Sequence[Exchange], repeat: Sequence[Exchange], rules: Rules) -> tuple[Noise, ...]:
    """The noise of every step of one side; quiet where the repetition stopped early or took another course."""
    second = [*repeat, *([None] * len(steps))]
    return tuple(learn_noise(one, two, rules) for one, two in zip(steps, second, strict=False))


def _learn_body(first: Response, second: Response, rules: Rules, *, is_steady: bool) -> Noise:
    lists = ListRules(keys=rules.keys)
    found = compare_bodies(decode(first, rules.decoders), decode(second, rules.decoders), lists).findings
    values = {
        to_pointer(finding.legacy_path): Sample(finding.legacy, finding.target)
        for finding in found
        if finding.kind in (DifferenceKind.VALUE, DifferenceKind.REPRESENTATION) and finding.legacy is not ABSENT
    }
    orders = [to_pointer(finding.legacy_path) for finding in found if finding.kind is DifferenceKind.ORDER]
    is_steady = is_steady and len(values) + len(orders) == len(found)
    return Noise(values=values, orders=frozenset(orders), is_steady=is_steady)


def _learn_headers(first: Headers, second: Headers, rules: HeaderRules) -> tuple[Mapping[str, Sample], bool]:
    """The headers whose value counts and is another one, and whether there are no other differences."""
    # A name that has the same values at the same positions needs no look.
    unequal = [pair for pair in zip_longest(first, second, fillvalue=("", "")) if pair[0] != pair[1]]
    names = {rules.place(name) for pair in unequal for name, _ in pair if name} - {""}
    if all(rules.role(name) == "volatile" for name in names) and len(first) == len(second):
        return {}, [name for name, _ in first] == [name for name, _ in second]
    mine, theirs = _by_name(first, names), _by_name(second, names)
    learned = {
        name: Sample(", ".join(values), ", ".join(theirs[name]))
        for name, values in mine.items()
        if name in theirs and values != theirs[name] and len(values) == len(theirs[name])
        if rules.role(name) != "volatile"
    }
    counts = [{name: len(values) for name, values in side.items()} for side in (mine, theirs)]
    return learned, counts[0] == counts[1]


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
