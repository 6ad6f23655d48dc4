"""Compares pages of a list whose ties are open as the union that they cut."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from harness.domain.compare.clock import parse_clock
from harness.domain.compare.content import decode
from harness.domain.compare.document import fingerprint
from harness.domain.compare.explain import Explained, body_difference
from harness.domain.compare.pointer import ABSENT, Path, value_at
from harness.domain.compare.rules import Rules
from harness.domain.compare.structure import Finding, compare_values
from harness.domain.difference import DifferenceKind
from harness.domain.exchange import Exchange, ExchangePair

Page = tuple[ExchangePair, Explained]
"""A step with its findings."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SIDES: tuple[Callable[[ExchangePair], Exchange], ...] = (lambda pair: pair.legacy, lambda pair: pair.target)


def settle_cut_runs(pages: Sequence[Page], rules: Rules) -> None:
    """Decides the elements that a page's edge cut out of a run of ties.

    Pages of one query are taken together: what one page of the legacy has and the target's lacks must be on another of
    the target's pages, with the same content. What the last page read may share with a page that was not read is
    open: there, as many elements must be in the place of those that lack. An element that the target shows on two
    pages, and the legacy on one, is none of these: another was shown on no page.
    """
    queries: dict[Hashable, list[_Shown]] = {}
    writes = 0
    for pair, explained in pages:
        writes += pair.legacy.request.method not in _SAFE_METHODS
        if pair.tie:
            shown = _Shown(pair=pair, explained=explained, writes=writes)
            queries.setdefault(_query(pair, rules), []).append(shown)
    for found in queries.values():
        if any(page.explained.cut for page in found):
            _settle_doubled(found, rules)
            _settle_together([page.explained for page in found], rules)
            _settle_alone(found[-1].explained)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A page; `writes` counts the requests before it that may have moved its elements to other pages."""

    pair: ExchangePair
    explained: Explained
    writes: int


def _query(pair: ExchangePair, rules: Rules) -> Hashable:
    address, _, query = pair.legacy.request.url.partition("?")
    parameters = sorted(item for item in parse_qsl(query, keep_blank_values=True) if item[0] not in rules.paging)
    return address, tuple(parameters)


def _settle_doubled(pages: Sequence[_Shown], rules: Rules) -> None:
    for page in pages:
        url = page.pair.legacy.request.url
        others = [each for each in pages if each.writes == page.writes and each.pair.legacy.request.url != url]
        doubled = [finding for finding in page.explained.cut if _is_doubled(finding, others, rules)]
        page.explained.different += map(body_difference, doubled)
        page.explained.cut[:] = [finding for finding in page.explained.cut if finding not in doubled]


def _is_doubled(finding: Finding, others: Sequence[_Shown], rules: Rules) -> bool:
    """Whether the target shows the element on this page and another, and the legacy not on two."""
    if finding.kind is not DifferenceKind.EXTRA:
        return False
    name, path = _name(finding.target, rules), finding.target_path[:-1]
    shown = [sum(name in _names(side(page.pair), path, rules) for page in others) for side in _SIDES]
    return shown[1] > 0 and shown[0] < 2


def _names(exchange: Exchange, path: Path, rules: Rules) -> set[bytes]:
    if exchange.response is None:
        return set()
    document = decode(exchange.response, rules.decoders).document()
    elements = ABSENT if document is None else value_at(document.value, path)
    return {_name(element, rules) for element in elements} if isinstance(elements, list) else set()


def _settle_alone(page: Explained) -> None:
    missing = sum(1 for finding in page.cut if finding.kind is DifferenceKind.MISSING)
    is_even = missing * 2 == len(page.cut)
    (page.equivalent if is_even else page.different).extend(map(body_difference, page.cut))
    page.cut.clear()


def _settle_together(pages: list[Explained], rules: Rules) -> None:
    cut = [finding for page in pages for finding in page.cut]
    elsewhere: dict[bytes, list[Any]] = {}
    for finding in cut:
        if finding.kind is DifferenceKind.EXTRA:
            elsewhere.setdefault(_name(finding.target, rules), []).append(finding.target)
    found: set[int] = set()
    for finding in cut:
        if finding.kind is DifferenceKind.MISSING:
            found |= _take_match(finding.legacy, elsewhere.get(_name(finding.legacy, rules), []), rules)
    for page in pages:
        page.equivalent += [body_difference(finding) for finding in page.cut if _is_found(finding, found)]
        left = [finding for finding in page.cut if not _is_found(finding, found)]
        page.cut[:] = left if page is pages[-1] else []
        if page is not pages[-1]:
            page.different += map(body_difference, left)


def _take_match(element: Any, candidates: list[Any], rules: Rules) -> set[int]:
    """The identities of the element and of the candidate that it is taken for; empty where there is none."""
    for n, candidate in enumerate(candidates):
        if _is_same(element, candidate, rules):
            return {id(element), id(candidates.pop(n))}
    return set()


def _is_found(finding: Finding, found: set[int]) -> bool:
    return id(finding.legacy) in found or id(finding.target) in found


def _name(element: Any, rules: Rules) -> bytes:
    if isinstance(element, dict):
        return next((fingerprint([key, element[key]]) for key in rules.keys if key in element), fingerprint(element))
    return fingerprint(element)


def _is_same(legacy: Any, target: Any, rules: Rules) -> bool:
    """The same content but for clock values, which were checked where both sides show the element."""
    return all(
        parse_clock(finding.legacy, rules.contract_zone) and parse_clock(finding.target, rules.contract_zone)
        for finding in compare_values(legacy, target)
    )
