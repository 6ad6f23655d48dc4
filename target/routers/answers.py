"""How errors stand in the API's document: which statuses an operation may answer beside its success and 422."""

from typing import Any, Final

from target.errors import RETRY_AFTER_S
from target.schemas.errors import Refusal

Answers = dict[int | str, dict[str, Any]]

_DESCRIPTIONS: Final = {
    400: "What is asked for cannot be, or the body cannot be read",
    401: "No token of ours (Authorization: Bearer)",
    404: "There is none",
    503: "Something this needs is away; try again",
}
_HEADERS: Final = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}, "required": True}},
    503: {"Retry-After": {"schema": {"type": "integer", "const": RETRY_AFTER_S}, "required": True}},
}


def may_answer(*statuses: int) -> Answers:
    """Return what `responses=` of a router or a route takes."""
    return {
        status: {"model": Refusal, "description": _DESCRIPTIONS[status]}
        | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
        for status in statuses
    }
