"""Defects of structure: members, lists, pages, whole bodies."""

import gzip
from collections.abc import Callable
from typing import Any

import orjson
from msgspec import structs

from harness.domain.compare.pointer import Path, to_pointer, value_at
from harness.domain.difference import DifferenceKind, Facet
from harness.domain.exchange import Response
from harness.domain.record import SessionRecord
from harness.domain.sabotage.defect import (
    Defect,
    Planted,
    edit_body,
    edit_response,
    find_value,
    json_steps,
    set_at,
    walk,
    with_body,
)

_MISSING, _EXTRA, _ORDER = DifferenceKind.MISSING, DifferenceKind.EXTRA, DifferenceKind.ORDER


def _member_defect(
    name: str, title: str, wants: Callable[[str, Any], bool], rename: Callable[[str], str | None], extra: bool = False
) -> Defect:
    """Takes a member out of its object, or gives it another name."""

    def plant(record: SessionRecord) -> Planted | None:
        found = find_value(record, lambda key, value: key != "" and wants(key, value))
        if found is None or not isinstance(found[1][-1], str):
            return None
        n, path, _ = found
        member, new = path[-1], rename(str(path[-1]))

        def change(document: Any) -> Any:
            owner = value_at(document, path[:-1])
            if not isinstance(owner, dict):
                return document
            kept = {key: value for key, value in owner.items() if key != member}
            return set_at(document, path[:-1], kept if new is None else {**kept, new: owner.get(str(member))})

        where = (*path[:-1], new) if extra and new is not None else path
        kinds = frozenset({_EXTRA if extra else _MISSING})
        edited = edit_body(record, n, change)
        return Planted(record=edited, step=n, facet=Facet.BODY, pointer=to_pointer(where), kinds=kinds)

    return Defect(name=name, title=title, facet=Facet.BODY, plant=plant)


def _plant_extra_member(record: SessionRecord) -> Planted | None:
    for n, _, target in json_steps(record):
        if isinstance(target, dict):
            edited = edit_body(record, n, lambda document: {**document, "debug": None})
            return Planted(record=edited, step=n, facet=Facet.BODY, pointer="/debug", kinds=frozenset({_EXTRA}))
    return None


def _list_defect(
    name: str, title: str, change: Callable[[list[Any]], list[Any]], kind: DifferenceKind, at: int | None
) -> Defect:
    """Changes a list of at least four objects; `at` is the element's index, None for the list itself."""

    def plant(record: SessionRecord) -> Planted | None:
        found = _find_list(record)
        if found is None:
            return None
        n, path, size = found
        edited = edit_body(record, n, lambda document: set_at(document, path, change(value_at(document, path))))
        where = path if at is None else (*path, at % size)
        kinds = frozenset({kind})
        return Planted(record=edited, step=n, facet=Facet.BODY, pointer=to_pointer(where), kinds=kinds)

    return Defect(name=name, title=title, facet=Facet.BODY, plant=plant)


def _find_list(record: SessionRecord) -> tuple[int, Path, int] | None:
    for n, legacy, target in json_steps(record):
        for path, value in walk(target):
            is_list = isinstance(value, list) and len(value) >= 4 and all(isinstance(e, dict) for e in value)
            if is_list and isinstance(value_at(legacy, path), list) and not record.steps[n].pair.tie:
                return n, path, len(value)
    return None


def _body_defect(
    name: str, title: str, change: Callable[[Response], Response], kinds: set[DifferenceKind], pointer: str = ""
) -> Defect:
    """Changes a whole body, of the first JSON object that has two members."""

    def plant(record: SessionRecord) -> Planted | None:
        for n, _, target in json_steps(record):
            if isinstance(target, dict) and len(target) > 1:
                where = pointer.format(first=next(iter(target)))
                edited = edit_response(record, n, change)
                return Planted(record=edited, step=n, facet=Facet.BODY, pointer=where, kinds=frozenset(kinds))
        return None

    return Defect(name=name, title=title, facet=Facet.BODY, plant=plant)


def _repeat_first(response: Response) -> Response:
    members = orjson.loads(response.body)
    name = orjson.dumps(next(iter(members)))
    return with_body(response, b"{" + name + b":0," + response.body[1:])


def _corrupt_gzip(response: Response) -> Response:
    broken = with_body(response, gzip.compress(response.body, mtime=0)[:-6])
    return structs.replace(broken, headers=(*broken.headers, ("content-encoding", "gzip")))


_UNREADABLE, _TYPE = DifferenceKind.UNREADABLE, DifferenceKind.TYPE

STRUCTURE_DEFECTS: tuple[Defect, ...] = (
    _member_defect("missing-key", "a member is missing", lambda _, v: isinstance(v, str), lambda _: None),
    _member_defect("missing-null", "null members are left out", lambda _, v: v is None, lambda _: None),
    _member_defect("renamed-key", "a member has another case", lambda k, v: "_" in k, lambda k: k.title()),
    _member_defect("camel-key", "a new name appears", lambda k, v: "_" in k, lambda k: k.replace("_", ""), extra=True),
    Defect(name="extra-key", title="a member too many", facet=Facet.BODY, plant=_plant_extra_member),
    _list_defect("page-short", "a page lacks its last element", lambda v: v[:-1], _MISSING, -1),
    _list_defect("page-shifted", "a page starts one later", lambda v: v[1:], _MISSING, 0),
    _list_defect("element-lost", "an element inside is lost", lambda v: [v[0], *v[2:]], _MISSING, 1),
    _list_defect("element-twice", "a join doubles an element", lambda v: [v[0], *v], _EXTRA, 0),
    _list_defect("order-reversed", "ORDER BY was dropped", lambda v: v[::-1], _ORDER, None),
    _list_defect("order-swapped", "two neighbours are swapped", lambda v: [v[1], v[0], *v[2:]], _ORDER, None),
    _list_defect("nulls-last", "the first comes last", lambda v: [*v[1:], v[0]], _ORDER, None),
    _body_defect("truncated", "the connection broke", lambda r: structs.replace(r, is_truncated=True), {_UNREADABLE}),
    _body_defect("cut-short", "the body is cut", lambda r: structs.replace(r, body=r.body[:-3]), {_UNREADABLE}),
    _body_defect("empty-body", "no body", lambda r: with_body(r, b""), {_MISSING}),
    _body_defect("invalid-json", "Python's repr", lambda r: with_body(r, b"{'a': None}"), {_UNREADABLE}),
    _body_defect("html", "a proxy's page", lambda r: with_body(r, b"<html>502</html>"), {_UNREADABLE}),
    _body_defect(
        "double-encoded", "JSON in a JSON text", lambda r: with_body(r, orjson.dumps(r.body.decode())), {_TYPE}
    ),
    _body_defect("wrapped", "an envelope", lambda r: with_body(r, b'{"data":' + r.body + b"}"), {_EXTRA}, "/data"),
    _body_defect("in-a-list", "an object in a list", lambda r: with_body(r, b"[" + r.body + b"]"), {_TYPE}),
    _body_defect(
        "bom", "a byte order mark", lambda r: with_body(r, b"\xef\xbb\xbf" + r.body), {DifferenceKind.ENCODING}
    ),
    _body_defect(
        "utf-16",
        "another encoding",
        lambda r: with_body(r, r.body.decode().encode("utf-16-le")),
        {DifferenceKind.ENCODING},
    ),
    _body_defect("member-twice", "a member twice", _repeat_first, {DifferenceKind.DUPLICATE_KEY}, "/{first}"),
    _body_defect("gzip-corrupt", "a broken gzip stream", _corrupt_gzip, {_UNREADABLE}),
)
