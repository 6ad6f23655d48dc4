"""Answers to API Gateway's HTTP API, as the application gave them."""

from typing import Any

from mangum.handlers import HTTPGateway
from mangum.types import Response


class HttpApi(HTTPGateway):
    """Payload 2.0, without the content type that Mangum adds to an answer that has none, such as a redirect."""

    def __call__(self, response: Response) -> dict[str, Any]:
        """Turn the application's answer into the gateway's."""
        answer = super().__call__(response)
        if not any(name.lower() == b"content-type" for name, _ in response["headers"]):
            answer.get("headers", {}).pop("content-type", None)
        return answer
