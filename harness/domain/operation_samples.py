"""One request for each operation that a system's own description lists, made to change as little as possible."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.domain.exchange import Request

_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
_PARAMETER = re.compile(r"\{([^{}:]+)(:path)?\}")
_SAMPLES = {"integer": "0", "number": "0", "boolean": "false"}
_ANY_TEXT = "x"
_NO_JSON = b"{"
"""A body that is no JSON: it reaches the operation and goes no further."""


def sample_requests(document: Mapping[str, Any]) -> Iterator[tuple[str, Request]]:
    """Each operation of an OpenAPI document, as `GET /a/{id}`, with a request that belongs to it; in its order."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {path}", _request(method.upper(), _fill(path, item[method], item))


def _request(method: str, url: str) -> Request:
    if method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        return Request(method=method, url=url)
    return Request(method=method, url=url, headers=(("Content-Type", "application/json"),), body=_NO_JSON)


def _fill(path: str, operation: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    return _PARAMETER.sub(lambda found: _sample(found[1], operation, item), path)


def _sample(name: str, operation: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """A value that the operation takes for a parameter of its path, and that names nothing which exists."""
    parameters = (*operation.get("parameters", ()), *item.get("parameters", ()))
    schema: Mapping[str, Any] = next((found.get("schema", {}) for found in parameters if found.get("name") == name), {})
    return _SAMPLES.get(str(schema.get("type")), _ANY_TEXT)
