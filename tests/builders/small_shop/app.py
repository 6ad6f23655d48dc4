"""Answers `GET /order?quantity=N` with what N pieces cost, and when it was asked."""

import json
from datetime import UTC, datetime
from typing import Any

from small_shop.prices import total


def create_app() -> Any:
    """The application."""
    return answer


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve one request."""
    if scope["type"] != "http":
        raise RuntimeError("no lifespan here")
    await receive()
    quantity = int(scope["query_string"].decode().removeprefix("quantity="))
    body = {"total": total(quantity, 20), "at": datetime.now(UTC).replace(tzinfo=None).isoformat()}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
