"""The second of two stages of reading input: our rules where they are stricter than the legacy's.

A route's parameters accept what the legacy accepts. Only where the legacy would then store what poisons it (Q1-Q5) are
our rules held against it, so that they never win over an answer that the legacy gives without losing anything.
"""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError


def hold_to(rules: TypeAdapter[Any], told: object, *location: str) -> None:
    """Refuse what the client told at this location unless our rules allow it.

    Args:
        rules: The type that says them; it reads what it allows as the first stage did.
        told: As it was sent, not as the first stage read it: a refusal repeats it.
        location: Where in the request it was.

    Raises:
        RequestValidationError: worded as FastAPI words what it refuses by itself.
    """
    try:
        rules.validate_python(told)
    except ValidationError as error:
        entries = error.errors(include_url=False)
        raise RequestValidationError([{**entry, "loc": (*location, *entry["loc"])} for entry in entries]) from error
