"""Compares two header multimaps: repeats and order within a name count, names are matched without case."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.domain.compare.document import to_text
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.exchange import Headers
from harness.domain.normalise import abstract_base, hostport_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderRules:
    """Which headers say something about the application; names end in `*` to mean a prefix."""

    transport: frozenset[str] = frozenset(
        {
            "alt-svc", "apigw-requestid", "cf-*", "connection", "content-length", "keep-alive", "server",
            "transfer-encoding", "via", "x-amz-*", "x-amzn-*", "x-cache",
        }
    )  # fmt: skip
    """Belong to the connection or to what stands in front: neither value nor presence counts."""
    volatile: frozenset[str] = frozenset(
        {"date", "x-request-id", "x-correlation-id", "request-id", "traceparent", "tracestate", "x-trace-id"}
    )
    """Differ by nature: the target must send what the legacy sends, the value does not count."""
    unordered: frozenset[str] = frozenset(
        {
            "access-control-allow-headers", "access-control-allow-methods", "access-control-expose-headers",
            "allow", "vary",
        }
    )  # fmt: skip
    """Comma-separated sets: order, repeats and case of their members do not count."""
    _known: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    _places: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def role(self, name: str) -> str:
        """`transport`, `volatile`, `unordered`, or empty for a header that must match as it is."""
        if name not in self._known:
            self._known[name] = self._find_role(name)
        return self._known[name]

    def place(self, name: str) -> str:
        """The lower-case name that a header as sent is compared under; empty for one that does not count."""
        place = self._places.get(name)
        if place is None:
            lower = name.lower()
            place = self._places[name] = "" if self.role(lower) == "transport" else lower
        return place

    def _find_role(self, name: str) -> str:
        for role, names in (("transport", self.transport), ("volatile", self.volatile), ("unordered", self.unordered)):
            if name in names or any(entry[-1] == "*" and name.startswith(entry[:-1]) for entry in names):
                return role
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFindings:
    """What differs, and what only normalisation made equal."""

    different: tuple[Difference, ...] = ()
    equivalent: tuple[Difference, ...] = ()


def compare_headers(
    legacy: Headers, target: Headers, rules: HeaderRules, bases: tuple[str, str] = ("", "")
) -> HeaderFindings:
    """Differences by lower-case header name in alphabetical order; a cookie's pointer is `set-cookie/<name>`."""
    if legacy == target and (bases[0] == bases[1] or not _names_base([value for _, value in legacy], bases)):
        return HeaderFindings()
    mine, theirs = _grouped(legacy, rules), _grouped(target, rules)
    different: list[Difference] = []
    equivalent: list[Difference] = []
    for name in sorted(mine.keys() | theirs.keys()):
        left, right = mine.get(name), theirs.get(name)
        if left == right and (bases[0] == bases[1] or left is None or not _names_base(left, bases)):
            continue
        kind = _header_kind(name, left, right, rules, bases)
        if kind is not None:
            different.append(_difference(name, kind, left, right))
        elif rules.role(name) != "volatile":
            equivalent.append(_difference(name, DifferenceKind.REPRESENTATION, left, right))
    return HeaderFindings(different=tuple(different), equivalent=tuple(equivalent))


def _names_base(values: list[str], bases: tuple[str, str]) -> bool:
    return any(_abstract(value, bases[0]) != _abstract(value, bases[1]) for value in values)


def _grouped(headers: Headers, rules: HeaderRules) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        lower = rules.place(name)
        if not lower:
            continue
        if lower == "set-cookie":
            lower = f"set-cookie/{value.partition('=')[0].strip()}"
        grouped.setdefault(lower, []).append(value)
    return grouped


def _header_kind(
    name: str, mine: list[str] | None, theirs: list[str] | None, rules: HeaderRules, bases: tuple[str, str]
) -> DifferenceKind | None:
    role = rules.role(name)
    if mine is None:
        return None if role == "volatile" else DifferenceKind.EXTRA
    if theirs is None:
        return DifferenceKind.MISSING
    if role == "volatile":
        return None
    canonical = _canonical_for(name, role)
    left = canonical([_abstract(value, bases[0]) for value in mine])
    right = canonical([_abstract(value, bases[1]) for value in theirs])
    if left == right:
        return None
    if not name.startswith("set-cookie") and ", ".join(left) == ", ".join(right):
        return DifferenceKind.REPRESENTATION  # folded on one side, repeated on the other
    return DifferenceKind.VALUE


def _canonical_for(name: str, role: str) -> Callable[[list[str]], list[str]]:
    if role == "unordered":
        return _as_set
    if name == "content-type":
        return _as_content_types
    return _as_cookies if name.startswith("set-cookie/") else list


def _as_set(values: list[str]) -> list[str]:
    return sorted({item.strip().lower() for value in values for item in value.split(",") if item.strip()})


def _as_content_types(values: list[str]) -> list[str]:
    return [_content_type(value) for value in values]


def _content_type(value: str) -> str:
    media_type, *parameters = (part.strip() for part in value.split(";"))
    return ";".join([media_type.lower(), *sorted(_parameter(part) for part in parameters if part)])


def _parameter(text: str) -> str:
    name, _, value = text.partition("=")
    plain = value.strip().strip('"')
    return f"{name.strip().lower()}={plain.lower() if name.strip().lower() == 'charset' else plain}"


def _as_cookies(values: list[str]) -> list[str]:
    return [_cookie(value) for value in values]


def _cookie(value: str) -> str:
    pair, *attributes = (part.strip() for part in value.split(";"))
    return "; ".join([pair, *sorted(_attribute(part) for part in attributes if part)])


def _attribute(text: str) -> str:
    name, separator, value = text.partition("=")
    return f"{name.strip().lower()}{separator}{value.strip()}"


def _abstract(value: str, base_url: str) -> str:
    if hostport_of(base_url) not in value:
        return value
    raw = value.encode("utf-8", "surrogateescape")
    return abstract_base(raw, base_url).decode("utf-8", "surrogateescape")


def _difference(name: str, kind: DifferenceKind, mine: list[str] | None, theirs: list[str] | None) -> Difference:
    return Difference(facet=Facet.HEADER, pointer=name, kind=kind, legacy=_shown(mine), target=_shown(theirs))


def _shown(values: list[str] | None) -> str | None:
    if values is None:
        return None
    return to_text(values[0] if len(values) == 1 else values)
