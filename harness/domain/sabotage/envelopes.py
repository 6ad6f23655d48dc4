"""Defects around the body: status, headers, transport."""

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from harness.domain.difference import DifferenceKind, Facet
from harness.domain.exchange import Headers, Response
from harness.domain.record import SessionRecord
from harness.domain.sabotage.defect import Defect, Planted, edit_response, with_body

_VALUE, _MISSING, _EXTRA = DifferenceKind.VALUE, DifferenceKind.MISSING, DifferenceKind.EXTRA


def _status_defect(name: str, title: str, old: int, new: int) -> Defect:
    def plant(record: SessionRecord) -> Planted | None:
        for n, step in enumerate(record.steps):
            if step.pair.target.response is not None and step.pair.target.response.status == old:
                edited = edit_response(record, n, lambda r: structs.replace(r, status=new))
                kinds = frozenset({_VALUE})
                return Planted(record=edited, step=n, facet=Facet.STATUS, pointer="", kinds=kinds)
        return None

    return Defect(name=name, title=title, facet=Facet.STATUS, plant=plant)


def _header_defect(
    names: tuple[str, str], title: str, change: Callable[[str], str | None], kind: DifferenceKind
) -> Defect:
    """Changes the first value of a header; None takes the header out. `names` are the defect's and the pointer."""
    name, pointer = names
    header = pointer.partition("/")[0]

    def plant(record: SessionRecord) -> Planted | None:
        for n, step in enumerate(record.steps):
            response = step.pair.target.response
            if response is not None and response.header_values(header):
                edited = edit_response(record, n, lambda r: _with_header(r, header, change))
                kinds = frozenset({kind})
                return Planted(record=edited, step=n, facet=Facet.HEADER, pointer=pointer, kinds=kinds)
        return None

    return Defect(name=name, title=title, facet=Facet.HEADER, plant=plant)


def _with_header(response: Response, header: str, change: Callable[[str], str | None]) -> Response:
    headers: Headers = ()
    for name, value in response.headers:
        new = change(value) if name.lower() == header else value
        headers += () if new is None else ((name, new),)
    return structs.replace(response, headers=headers)


def _plant_header(record: SessionRecord) -> Planted | None:
    edited = edit_response(record, 0, lambda r: structs.replace(r, headers=(*r.headers, ("Cache-Control", "no-store"))))
    kinds = frozenset({_EXTRA})
    return Planted(record=edited, step=0, facet=Facet.HEADER, pointer="cache-control", kinds=kinds)


def _plant_reset(record: SessionRecord) -> Planted | None:
    step = record.steps[0]
    target = structs.replace(step.pair.target, response=None, transport_error="connection reset by peer")
    broken = structs.replace(step, pair=structs.replace(step.pair, target=target))
    edited = replace(record, steps=(broken, *record.steps[1:]))
    return Planted(record=edited, step=0, facet=Facet.TRANSPORT, pointer="", kinds=frozenset({_VALUE}))


def _plant_random_failure(record: SessionRecord) -> Planted | None:
    for n, step in enumerate(record.steps):
        if step.pair.target.response is not None and step.pair.target.response.status == 200:
            failed = edit_response(
                record, n, lambda r: with_body(structs.replace(r, status=503), b'{"message":"busy"}'), repeat=False
            )
            return Planted(record=failed, step=n, facet=Facet.STATUS, pointer="", kinds=frozenset({_VALUE}))
    return None


ENVELOPE_DEFECTS: tuple[Defect, ...] = (
    _status_defect("status-created", "201 became 200", 201, 200),
    _status_defect("status-no-content", "204 became 200", 204, 200),
    _status_defect("status-not-found", "404 became 200", 404, 200),
    _status_defect("status-invalid", "422 became 400", 422, 400),
    _status_defect("status-permanent", "307 became 308", 307, 308),
    _status_defect("status-unauthorised", "200 became 401", 200, 401),
    Defect(name="random-503", title="one answer in one pass fails", facet=Facet.STATUS, plant=_plant_random_failure),
    _header_defect(("content-type", "content-type"), "another content type", lambda _: "text/html", _VALUE),
    _header_defect(("no-content-type", "content-type"), "no content type", lambda _: None, _MISSING),
    _header_defect(("charset", "content-type"), "another charset", lambda v: f"{v}; charset=latin-1", _VALUE),
    _header_defect(("location-host", "location"), "redirects to the origin", lambda _: "http://10.0.0.1/x", _VALUE),
    _header_defect(("location-relative", "location"), "a relative redirect", lambda _: "/elsewhere", _VALUE),
    _header_defect(("location-lost", "location"), "a redirect to nowhere", lambda _: None, _MISSING),
    _header_defect(("vary", "vary"), "Vary lost", lambda _: None, _MISSING),
    _header_defect(("cors-origin", "access-control-allow-origin"), "any origin", lambda _: "*", _VALUE),
    _header_defect(("cors-lost", "access-control-allow-origin"), "no origin", lambda _: None, _MISSING),
    _header_defect(("cookie-flag", "set-cookie/mode"), "HttpOnly lost", lambda v: v.replace("; HttpOnly", ""), _VALUE),
    _header_defect(("cookie-lost", "set-cookie/mode"), "a cookie folded away", lambda _: None, _MISSING),
    _header_defect(("date-lost", "date"), "no Date", lambda _: None, _MISSING),
    Defect(name="extra-header", title="a cache header appears", facet=Facet.HEADER, plant=_plant_header),
    Defect(name="reset", title="the connection breaks", facet=Facet.TRANSPORT, plant=_plant_reset),
)
