"""The second of two stages of reading input: our rules where they are stricter than the legacy's.

A route's parameters accept what the legacy accepts. Only where the legacy would then go on, and fail or store what
poisons it (Q1-Q5), are our rules held, so that they never win over an answer that the legacy gives without losing
anything.
"""

from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from target.schemas.fields import SECOND_STAGE

Read = TypeVar("Read")


def hold_to(rules: TypeAdapter[Read], told: object, *location: str) -> Read:
    """Read what the client told at this location, refusing what our rules do not allow.

    Args:
        rules: The type that the first stage read it by.
        told: As it was sent, not as the first stage read it: a refusal repeats it.
        location: Where in the request it was.

    Raises:
        RequestValidationError: worded as FastAPI words what it refuses by itself.
    """
    try:
        return rules.validate_python(told, context=SECOND_STAGE)
    except ValidationError as error:
        entries = error.errors(include_url=False)
        raise RequestValidationError([{**entry, "loc": (*location, *entry["loc"])} for entry in entries]) from error
