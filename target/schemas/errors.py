"""The body of an error that is no validation error."""

from pydantic import BaseModel


class Refusal(BaseModel):
    """Why there is no better answer, for a person to read."""

    detail: str
