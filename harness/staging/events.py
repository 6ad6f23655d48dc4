"""HTTP requests as the events that an HTTP API sends to Lambda, payload format 2.0.

Source: Amazon API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"; what it leaves
open (which bodies are base64, that `rawPath` is decoded) follows published captures of real events, named in
docs/local-cloud.md.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, unquote

from harness.domain.exchange import Headers
from harness.staging.routes import RouteMatch

STAGE = "$default"
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_TEXT_TYPES = frozenset(("application/json", "application/xml", "application/javascript"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """A request as it came over the wire; `target` is path and query, still encoded."""

    method: str
    target: str
    headers: Headers
    body: bytes
    source_ip: str
    port: int
    protocol: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        """Everything before the first question mark."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Everything after the first question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIdentity:
    """What the gateway adds to a request."""

    account_id: str
    api_id: str
    request_id: str
    trace_id: str
    received_at: datetime


def build_event(request: GatewayRequest, route: RouteMatch, identity: RequestIdentity) -> dict[str, object]:
    """The event for one request; keys without a value are absent, as in API Gateway."""
    headers, cookies = _fold_headers(request, identity)
    path = unquote(request.path)
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": route.route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
    }
    if request.query:
        event["queryStringParameters"] = fold_query(request.query)
    event["requestContext"] = _request_context(request, route, identity, headers, path)
    if route.path_parameters:
        event["pathParameters"] = dict(route.path_parameters)
    return event | encode_body(request.body, headers.get("content-type", ""))


def fold_query(query: str) -> dict[str, str]:
    """Decoded parameters; the values of a repeated one are joined by commas."""
    return _join(parse_qsl(query, keep_blank_values=True))


def encode_body(body: bytes, content_type: str) -> dict[str, object]:
    """`body` and `isBase64Encoded`: text for text/* and three application types, base64 for all else."""
    if not body:
        return {"isBase64Encoded": False}
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return {"body": body.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # text that is not UTF-8 can only arrive whole as bytes
    return {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}


def _fold_headers(request: GatewayRequest, identity: RequestIdentity) -> tuple[dict[str, str], list[str]]:
    lowered = [(name.lower(), value) for name, value in request.headers]
    named_by_connection = {
        part.strip().lower() for name, value in lowered if name == "connection" for part in value.split(",")
    }
    dropped = _HOP_BY_HOP | named_by_connection | {"cookie", "content-length"}
    folded = _join((name, value) for name, value in lowered if name not in dropped)
    cookies = [part.strip() for name, value in lowered if name == "cookie" for part in value.split(";") if part.strip()]
    forwarded = folded.get("x-forwarded-for")
    added = {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": identity.trace_id,
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }
    return folded | added, cookies


def _join(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for name, value in pairs:
        folded[name] = f"{folded[name]},{value}" if name in folded else value
    return folded


def _request_context(
    request: GatewayRequest, route: RouteMatch, identity: RequestIdentity, headers: Mapping[str, str], path: str
) -> dict[str, object]:
    domain_name = _host_name(headers.get("host", ""))
    return {
        "accountId": identity.account_id,
        "apiId": identity.api_id,
        "domainName": domain_name,
        "domainPrefix": domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": identity.request_id,
        "routeKey": route.route_key,
        "stage": STAGE,
        "time": _common_log_time(identity.received_at),
        "timeEpoch": int(identity.received_at.timestamp() * 1000),
    }


def _host_name(host: str) -> str:
    """The host without its port; an IPv6 address keeps its brackets."""
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdigit() else host


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _common_log_time(at: datetime) -> str:
    """12/Mar/2020:19:03:58 +0000, whatever the locale."""
    return f"{at.day:02}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
