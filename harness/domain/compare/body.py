"""Compares two bodies: raw bytes, then canonical bytes, then structure."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from harness.domain.compare.content import Content
from harness.domain.compare.document import Document, fingerprint
from harness.domain.compare.pointer import ABSENT, parse_pointer
from harness.domain.compare.structure import Finding, ListRules, compare_values
from harness.domain.difference import DifferenceKind

_SHOWN_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFindings:
    """What differs in two bodies; `legacy` and `target` are the parsed documents where both are JSON."""

    findings: tuple[Finding, ...] = ()
    legacy: Document | None = None
    target: Document | None = None


def compare_bodies(legacy: Content, target: Content, rules: ListRules | None = None) -> BodyFindings:
    """Every difference between two bodies, by JSON pointer where both are JSON, else at the root."""
    if legacy.body == target.body and legacy.problem == target.problem and legacy.charset == target.charset:
        return BodyFindings()
    if legacy.problem or target.problem:
        return BodyFindings(findings=(_unreadable(legacy, target),))
    mine, theirs = legacy.document(), target.document()
    if mine is None or theirs is None:
        return BodyFindings(findings=_compare_texts(legacy, target, mine, theirs))
    return BodyFindings(findings=compare_documents(mine, theirs, rules), legacy=mine, target=theirs)


def compare_documents(legacy: Document, target: Document, rules: ListRules | None = None) -> tuple[Finding, ...]:
    """Every difference between two documents: encoding, repeated members, then values in document order."""
    findings = []
    if legacy.encoding != target.encoding:
        findings.append(_at_root(DifferenceKind.ENCODING, legacy.encoding, target.encoding))
    for pointer in sorted(legacy.duplicates.keys() | target.duplicates.keys()):
        mine, theirs = legacy.duplicates.get(pointer, ABSENT), target.duplicates.get(pointer, ABSENT)
        if mine is ABSENT or theirs is ABSENT or fingerprint(mine) != fingerprint(theirs):
            findings.append(_repeated(pointer, mine, theirs))
    return (*findings, *compare_values(legacy.value, target.value, rules))


def _compare_texts(
    legacy: Content, target: Content, mine: Document | None, theirs: Document | None
) -> tuple[Finding, ...]:
    if not legacy.body or not target.body:
        kind = DifferenceKind.EXTRA if not legacy.body else DifferenceKind.MISSING
        return (_at_root(kind, _shown(legacy, mine), _shown(target, theirs)),) if legacy.body != target.body else ()
    if (mine is None) != (theirs is None):
        broken = legacy if mine is None else target
        kind = DifferenceKind.UNREADABLE if broken.declares_json else DifferenceKind.TYPE
        return (_at_root(kind, _shown(legacy, mine), _shown(target, theirs)),)
    if legacy.text() is not None and legacy.text() == target.text():
        if legacy.body == target.body:
            return ()
        return (_at_root(DifferenceKind.ENCODING, legacy.charset, target.charset),)
    return (_at_root(DifferenceKind.VALUE, _shown(legacy, None), _shown(target, None)),)


def _unreadable(legacy: Content, target: Content) -> Finding:
    mine, theirs = (content.problem or _shown(content, None) for content in (legacy, target))
    return _at_root(DifferenceKind.UNREADABLE, mine, theirs)


def _shown(content: Content, document: Document | None) -> Any:
    """What stands for a body in a difference; a long text or binary is named by its length and hash."""
    if not content.body:
        return ABSENT
    if document is not None:
        return document.value
    text = content.text()
    if text is not None and len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{len(content.body)} bytes, sha256 {sha256(content.body).hexdigest()}"


def _repeated(pointer: str, mine: Any, theirs: Any) -> Finding:
    path = parse_pointer(pointer)
    legacy, target = (list(side) if side is not ABSENT else ABSENT for side in (mine, theirs))
    return Finding(path, path, DifferenceKind.DUPLICATE_KEY, legacy, target)


def _at_root(kind: DifferenceKind, legacy: Any, target: Any) -> Finding:
    return Finding((), (), kind, legacy, target)
