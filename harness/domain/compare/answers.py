"""Compares the two answers of one step: status, headers, body."""

from dataclasses import dataclass, replace
from typing import Any

from harness.domain.compare.body import compare_bodies, compare_documents
from harness.domain.compare.content import Content, decode
from harness.domain.compare.document import Document
from harness.domain.compare.headers import HeaderFindings, compare_headers
from harness.domain.compare.pointer import ABSENT, value_at
from harness.domain.compare.rules import Rules
from harness.domain.compare.structure import Finding, ListRules
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.exchange import Exchange, ExchangePair, Headers, Response
from harness.domain.identity import Identity
from harness.domain.normalise import abstract_base


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One side's answer as far as waivers and cascades look at it: `$BASE` for the side's own address."""

    status: int
    headers: Headers
    body: Any
    """Parsed JSON, else text, else ABSENT for an empty or unreadable body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFindings:
    """Everything that differs between two answers, before anything explains it."""

    status: tuple[Difference, ...]
    headers: HeaderFindings
    body: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What had to be normalised for the comparison."""
    is_byte_identical: bool = True


def compare_answers(pair: ExchangePair, rules: Rules, identity: Identity) -> AnswerFindings:
    """The findings of one step; both sides must have answered."""
    legacy, target = answer_of(pair.legacy), answer_of(pair.target)
    status = () if legacy.status == target.status else (_status_difference(legacy.status, target.status),)
    headers = compare_headers(
        _rekeyed(legacy.headers, identity), target.headers, rules.headers, (pair.legacy.base_url, pair.target.base_url)
    )
    is_quick = identity.is_trivial and legacy.body == target.body and _is_coded_alike(legacy, target)
    if is_quick and not _names_either(pair, legacy.body):
        return AnswerFindings(status=status, headers=headers, body=())
    body, notes = _compare_bodies(pair, rules, identity)
    is_cut = legacy.is_truncated or target.is_truncated
    if is_cut and legacy.body == target.body:
        notes = (*notes, "a body is cut off: what follows was not compared")
    is_identical = legacy.body == target.body and not is_cut
    return AnswerFindings(status=status, headers=headers, body=body, notes=notes, is_byte_identical=is_identical)


def answer_of(exchange: Exchange) -> Response:
    """The response of an exchange that has one."""
    if exchange.response is None:
        raise ValueError(exchange.transport_error)
    return exchange.response


def read_answer(exchange: Exchange, rules: Rules) -> Answer:
    """The answer as patterns see it."""
    response = answer_of(exchange)
    content = _content(exchange, rules)
    document = content.document()
    body: Any = document.value if document is not None else content.text() or ABSENT
    return Answer(status=response.status, headers=response.headers, body=body)


def _content(exchange: Exchange, rules: Rules) -> Content:
    content = decode(answer_of(exchange), rules.decoders)
    return replace(content, body=abstract_base(content.body, exchange.base_url))


def _is_coded_alike(legacy: Response, target: Response) -> bool:
    """Whether equal bytes mean the same: how they are coded is in the headers."""
    if legacy.is_truncated or target.is_truncated:
        return False
    if legacy.headers == target.headers:
        return True
    return all(
        legacy.header_values(name) == target.header_values(name) for name in ("content-encoding", "content-type")
    )


def _names_either(pair: ExchangePair, body: bytes) -> bool:
    """Whether equal bytes hold an address, which is then one side's own and another's for the other."""
    if pair.legacy.base_url == pair.target.base_url:
        return False
    return any(abstract_base(body, exchange.base_url) is not body for exchange in (pair.legacy, pair.target))


def _rekeyed(headers: Headers, identity: Identity) -> Headers:
    if identity.is_trivial:
        return headers
    return tuple(
        (name, identity.to_target_url(value) if name.lower() == "location" else value) for name, value in headers
    )


def _compare_bodies(
    pair: ExchangePair, rules: Rules, identity: Identity
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    mine, theirs = _content(pair.legacy, rules), _content(pair.target, rules)
    lists = ListRules(keys=rules.keys, tie=pair.tie)
    notes = ("own addresses read as $BASE",) if b"$BASE" in mine.body or b"$HOSTPORT" in mine.body else ()
    document = None if identity.is_trivial else mine.document()
    if document is None:
        return compare_bodies(mine, theirs, lists).findings, notes
    rekeyed = identity.to_target_value(pair.legacy.request.url.partition("?")[0], document.value)
    other = theirs.document()
    if rekeyed is document.value or other is None:
        return compare_bodies(mine, theirs, lists).findings, notes
    found = compare_documents(replace(document, value=rekeyed), other, lists)
    return _with_own_values(found, document), (*notes, "ids read as the target's ids of the same rows")


def _with_own_values(findings: tuple[Finding, ...], document: Document) -> tuple[Finding, ...]:
    """Findings with the values that the legacy really gave; an order is named by keys, which stay the target's."""
    return tuple(
        finding
        if finding.legacy is ABSENT or finding.kind in (DifferenceKind.ORDER, DifferenceKind.DUPLICATE_KEY)
        else finding._replace(legacy=value_at(document.value, finding.legacy_path))
        for finding in findings
    )


def _status_difference(legacy: int, target: int) -> Difference:
    return Difference(facet=Facet.STATUS, pointer="", kind=DifferenceKind.VALUE, legacy=str(legacy), target=str(target))
