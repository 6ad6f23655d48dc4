"""Groups equal differences: endpoint template, normalised pointer, kind and the pair of types."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from harness.domain.curl import curl_command
from harness.domain.difference import Comparison, Difference, DifferenceKind, Facet
from harness.domain.exchange import ExchangePair
from harness.domain.normalise import normalise_pointer, normalise_row_pointer
from harness.domain.redaction_marks import is_number_mark

_ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Signature:
    """What equal findings have in common; `str()` is its one line of text."""

    operation: str
    facet: Facet
    pointer: str
    kind: DifferenceKind
    types: str
    """`integer -> string`; for a status or a header's presence the values themselves."""

    def __str__(self) -> str:
        where = f"{self.facet} {self.pointer}" if self.pointer else str(self.facet)
        # Member names may hold line breaks; a signature is one line wherever it is written.
        return " ".join(f"{self.operation} | {where} | {self.kind} | {self.types}".splitlines())

    @property
    def id(self) -> str:
        """A short name that stays the same from run to run."""
        return sha256(str(self).encode("utf-8", "surrogatepass")).hexdigest()[:12]


class Example(NamedTuple):
    """One finding with where it was seen."""

    comparison: Comparison
    difference: Difference
    pair: ExchangePair


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureGroup:
    """All findings of one signature: how many, in how many sessions, and the smallest."""

    signature: Signature
    count: int
    session_count: int
    example: Example


def signature_of(operation: str, difference: Difference) -> str:
    """The signature of a difference seen at an endpoint, as its one line of text."""
    return str(find_signature(operation, difference))


def find_signature(operation: str, difference: Difference) -> Signature:
    """The signature of a difference seen at an endpoint."""
    is_row = difference.facet is Facet.ROW
    normalise = normalise_row_pointer if is_row else normalise_pointer
    pointer = difference.pointer if difference.facet is Facet.HEADER else normalise(difference.pointer)
    if difference.facet is Facet.STATUS:
        types = f"{difference.legacy} -> {difference.target}"
    else:
        types = f"{_type_name(difference.legacy)} -> {_type_name(difference.target)}"
    return Signature(operation=operation, facet=difference.facet, pointer=pointer, kind=difference.kind, types=types)


def group_signatures(examples: Iterable[Example]) -> tuple[SignatureGroup, ...]:
    """Groups findings: the most frequent first, then by text; the example has the smallest bodies."""
    groups: dict[Signature, list[Example]] = {}
    for example in examples:
        groups.setdefault(find_signature(example.comparison.operation, example.difference), []).append(example)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return tuple(
        SignatureGroup(
            signature=signature,
            count=len(found),
            session_count=len({example.comparison.session_id for example in found}),
            example=min(found, key=_size),
        )
        for signature, found in ordered
    )


def curl_pair(pair: ExchangePair) -> tuple[str, str]:
    """The two commands that repeat an exchange by hand."""
    return curl_command(pair.legacy), curl_command(pair.target)


def _size(example: Example) -> tuple[int, str, int]:
    sizes = (len(e.response.body) if e.response else 0 for e in (example.pair.legacy, example.pair.target))
    return sum(sizes), example.comparison.session_id, example.comparison.step


def _type_name(text: str | None) -> str:
    """The JSON type of a value's text."""
    if text is None:
        return _ABSENT
    if is_number_mark(text[1:]):
        return "number"
    first = text[:1]
    if first in _BY_FIRST:
        return _BY_FIRST[first]
    return "integer" if text.lstrip("-").isdigit() else "number"


_BY_FIRST = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}
