"""Order that a contract leaves open: among elements whose sort keys are equal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.domain.compare.document import fingerprint

if TYPE_CHECKING:
    from harness.domain.compare.align import Alignment

ANY_KEY = "*"
"""The sort keys are not known: every order is open."""


def has_same_ranks(legacy: Sequence[Any], target: Sequence[Any], alignment: "Alignment", tie: tuple[str, ...]) -> bool:
    """Whether both lists run through the same sort-key values, so that only ties are ordered differently."""
    if not tie:
        return False
    if ANY_KEY in tie:
        return True
    paired = {i for i, _ in alignment.pairs}, {j for _, j in alignment.pairs}
    mine = [_rank(element, tie) for i, element in enumerate(legacy) if i in paired[0]]
    theirs = [_rank(element, tie) for j, element in enumerate(target) if j in paired[1]]
    return None not in mine and mine == theirs


def is_cut_run(element: Any, own: Sequence[Any], other: Sequence[Any], tie: tuple[str, ...]) -> bool:
    """Whether the element ties with an edge of both lists, so that the page's cut decided which of the run is here."""
    if not tie or not own or not other or len(own) != len(other):
        return False
    if ANY_KEY in tie:
        return True
    rank = _rank(element, tie)
    edges = ((own[0], other[0]), (own[-1], other[-1]))
    return rank is not None and any(rank == _rank(a, tie) == _rank(b, tie) for a, b in edges)


def _rank(element: Any, tie: tuple[str, ...]) -> bytes | None:
    if not isinstance(element, dict) or not all(name in element for name in tie):
        return None
    return fingerprint([element[name] for name in tie])
