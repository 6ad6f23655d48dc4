"""One side of a replay: how it is reached, authorised and given up on."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from msgspec import structs

from harness.domain.credential import credential_header
from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import NOT_SENT, Exchange, Request, Side
from harness.domain.operation import OperationTemplates
from harness.domain.ports import SideClient, StateStore
from harness.domain.session import SAFE_METHODS
from harness.uninterrupted import run_to_its_end

_log = logging.getLogger(__name__)
_AUTHORIZATION = "authorization"
_OPENAPI = Request(method="GET", url="/openapi.json", headers=(("Accept", "application/json"),))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySide:
    """One system: its client, its database where that is known, and its own credentials."""

    client: SideClient
    store: StateStore | None = None
    authorize: Callable[[str], str] | None = field(default=None, repr=False)
    """Makes the Authorization header of an `auth` kind with this side's secret."""
    token: str | None = field(default=None, repr=False)
    """Sent with requests that bring neither `auth`, nor an Authorization header, nor the header that it is for."""
    restart: Callable[[], Awaitable[None]] | None = None
    """Makes the system forget its process memory, at the same address; None where we cannot."""

    def authorized(self, request: Request, kind: str | None) -> Request:
        """The request with this side's credentials.

        Raises:
            ValueError: it needs a secret that this side has not.
        """
        if kind is not None:
            if self.authorize is None:
                raise ValueError(f"no secret to make auth {kind!r} with")
            return _with_authorization(request, self.authorize(kind))
        return _with_credential(request, *credential_header(self.token)) if self.token else request

    async def send(self, request: Request) -> Exchange:
        """Sends once; where the state is restored, a write that is under way outlives a cancellation (`send_whole`)."""
        return await (self.client.send(request) if self.store is None else send_whole(self.client, request))


class Outages:
    """Counts broken exchanges in a row, so that a dead side ends the replay instead of failing every step."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts = {Side.LEGACY: 0, Side.TARGET: 0}

    def see(self, exchange: Exchange) -> None:
        """Takes note of an exchange.

        Raises:
            SystemUnavailable: it is the last of too many in a row that broke.
        """
        error = exchange.transport_error
        if error is not None and error.startswith(NOT_SENT):
            return
        self._counts[exchange.side] = self._counts[exchange.side] + 1 if error is not None else 0
        if self._counts[exchange.side] >= self._limit:
            raise SystemUnavailable(
                f"the {exchange.side} stopped answering: {self._limit} requests in a row failed, the last: {error}",
                where=exchange.base_url,
                hint="See its log; what was replayed until then is in the run directory.",
            )


async def send_whole(client: SideClient, request: Request) -> Exchange:
    """Sends once; a cancellation waits for the answer to a request that may write.

    What it wrote can be taken back then. A request that is given up is served all the same, and would write behind
    whatever is restored or removed.
    """
    sending = client.send(request)
    if request.method in SAFE_METHODS:
        return await sending
    note = "interrupted; waiting for the answer to a %s, which may write (Ctrl-C again does not wait)"
    return await run_to_its_end(sending, on_cancel=lambda: _log.warning(note, request.method))


async def fetch_templates(legacy: SideClient, target: SideClient) -> OperationTemplates:
    """Endpoint templates from the OpenAPI document of the legacy, else of the target, else none."""
    return OperationTemplates.of_document(await fetch_description(legacy, target))


async def fetch_description(legacy: SideClient, target: SideClient) -> dict[str, Any] | None:
    """The OpenAPI document of the legacy, else of the target, else None."""
    for client in (legacy, target):
        response = (await client.send(_OPENAPI)).response
        if response is None or response.status != 200:
            continue
        try:
            document = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            continue
        if isinstance(document, dict) and document.get("paths"):
            return document
    return None


def _with_credential(request: Request, header: str, value: str) -> Request:
    if {name.lower() for name, _ in request.headers} & {_AUTHORIZATION, header.lower()}:
        return request
    return structs.replace(request, headers=(*request.headers, (header, value)))


def _with_authorization(request: Request, value: str) -> Request:
    kept = tuple(header for header in request.headers if header[0].lower() != _AUTHORIZATION)
    return structs.replace(request, headers=(*kept, ("Authorization", value)))
