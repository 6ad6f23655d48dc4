"""Events, in every form in which they come, to what is to be ingested.

Plain:        {"universe_key": "SPX500"}, or nothing at all for the configured universe
EventBridge:  the same under `detail`
SQS:          the same as text in each record's `body`; what a run sends there names its tickers and days too
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from target.ingest.errors import IngestEventInvalid

_Name = Annotated[str, Field(min_length=1, max_length=20)]
_MOST_TICKERS = 20_000


class IngestRequest(BaseModel):
    """A universe, or some tickers of it; days are both included and default to the latest ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    universe_key: _Name | None = None
    tickers: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=_MOST_TICKERS)] | None = None
    start: date | None = None
    end: date | None = None

    @model_validator(mode="after")
    def _days_are_a_range(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end belong together: give both or neither")
        if self.start and self.end and self.start > self.end:
            raise ValueError("start lies after end")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRequest:
    """A record of a queue's batch; `request` is None where its body is invalid, and `error` then says why."""

    message_id: str
    request: IngestRequest | None = None
    error: str = ""


def is_batch(event: object) -> bool:
    """True for what a queue delivers."""
    return isinstance(event, Mapping) and "Records" in event


def parse_event(event: object) -> IngestRequest:
    """Read a plain or an EventBridge event.

    Raises:
        IngestEventInvalid: it is neither; says which key is wrong and what is expected.
    """
    if isinstance(event, Mapping) and "detail-type" in event:
        event = event.get("detail")
    return _validated({} if event is None else event)


def parse_batch(event: object) -> tuple[QueuedRequest, ...]:
    """Read the records of a queue's batch; an invalid body is data here, since its neighbours are to be worked on.

    Raises:
        IngestEventInvalid: there is no list of records with message ids.
    """
    match event:
        case {"Records": [*records]} if all(isinstance(each, Mapping) and each.get("messageId") for each in records):
            return tuple(_parse_record(record) for record in records)
        case _:
            raise IngestEventInvalid("Records must be a list of SQS records, each with a messageId and a body.")


def _parse_record(record: Mapping[str, object]) -> QueuedRequest:
    message_id, body = str(record["messageId"]), record.get("body")
    try:
        request = _validated(json.loads(body if isinstance(body, str) else ""))
    except IngestEventInvalid as error:
        return QueuedRequest(message_id=message_id, error=str(error))
    except ValueError:
        return QueuedRequest(message_id=message_id, error="The message's body is no JSON object.")
    return QueuedRequest(message_id=message_id, request=request)


def _validated(document: object) -> IngestRequest:
    try:
        return IngestRequest.model_validate(document)
    except ValidationError as error:
        # The input itself is left out: an event may have been sent here by mistake and be anybody's.
        found = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'event'}: {e['msg']}" for e in error.errors()[:3])
        raise IngestEventInvalid(f'{found}. Send {{"universe_key": "SPX500"}} or an empty object.') from None
