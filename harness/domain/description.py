"""The operations, parameters and statuses that a system's own OpenAPI document names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MAX_REFERENCES = 20


class Place(StrEnum):
    """Where a request carries a parameter."""

    QUERY = "query"
    BODY = "body"
    PATH = "path"
    HEADER = "header"


class Parameter(NamedTuple):
    """A parameter by place and name; of a body these are the members of the object."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedOperation:
    """One method of one path, with the statuses that are spelt out."""

    parameters: tuple[Parameter, ...]
    statuses: tuple[str, ...]


def described_operations(document: Any) -> Mapping[str, DescribedOperation]:
    """The operations by name (`GET /api/trades/{trade_id}`), in the document's order; none for anything else.

    References within the document are followed; whatever is malformed is left out.
    """
    paths = document.get("paths") if isinstance(document, dict) else None
    found = {}
    for path, item in (paths or {}).items() if isinstance(paths, dict) else ():
        for method in _METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                found[f"{method.upper()} {path}"] = _operation(document, item, operation)
    return found


def first_server(document: Any) -> str:
    """The address of the document's first server; "/" where it has none, or one with variables."""
    servers = document.get("servers") if isinstance(document, dict) else None
    first = servers[0] if isinstance(servers, list) and servers else None
    url = first.get("url") if isinstance(first, dict) else None
    return url if isinstance(url, str) and "{" not in url else "/"


def _operation(document: Any, item: dict[str, Any], operation: dict[str, Any]) -> DescribedOperation:
    parameters = [*_listed(document, item), *_listed(document, operation), *_members(document, operation)]
    responses = operation.get("responses")
    statuses = [str(status) for status in responses] if isinstance(responses, dict) else []
    return DescribedOperation(
        parameters=tuple(dict.fromkeys(parameters)), statuses=tuple(each for each in statuses if each.isdigit())
    )


def _listed(document: Any, owner: dict[str, Any]) -> Iterator[Parameter]:
    parameters = owner.get("parameters")
    for each in parameters if isinstance(parameters, list) else ():
        parameter = _resolved(document, each)
        if parameter.get("in") in set(Place) and isinstance(parameter.get("name"), str):
            yield Parameter(Place(parameter["in"]), parameter["name"])


def _members(document: Any, operation: dict[str, Any]) -> Iterator[Parameter]:
    content = _resolved(document, operation.get("requestBody")).get("content")
    media = content.get("application/json") if isinstance(content, dict) else None
    schema = _resolved(document, media.get("schema") if isinstance(media, dict) else None)
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        yield Parameter(Place.BODY, name)


def _resolved(document: Any, node: Any) -> dict[str, Any]:
    for _ in range(_MAX_REFERENCES):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        node = document
        for token in reference[2:].split("/"):
            node = node.get(token.replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}
