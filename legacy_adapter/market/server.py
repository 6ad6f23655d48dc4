"""The market over HTTP: routes, clients told apart by their path, and faults on the way out."""

import time
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from legacy_adapter.market.answers import Answer, Refused, json_answer
from legacy_adapter.market.catalogue import Market
from legacy_adapter.market.faults import Faults
from legacy_adapter.market.tiingo import daily_prices
from legacy_adapter.market.yahoo import chart

CLIENT_PREFIX = "as"
"""`/as/NAME/…` is the same market for a client of its own: its faults do not depend on what others ask."""
_REMEMBERED = 20_000
_YAHOO = ("v8", "finance", "chart")
_TIINGO = ("tiingo", "daily")


class MarketServer(ThreadingHTTPServer):
    """Serves one market on loopback, a thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, market: Market, faults: Faults) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.market = market
        self.faults = faults
        self.asked: dict[str, deque[str]] = {}
        """The latest requests by client, path and query; `/asked` answers with them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    server: MarketServer

    def do_GET(self) -> None:
        """Answers, or fails as the faults have it; `/health` and `/asked` never fail."""
        parts = urlsplit(self.path)
        client, segments = _client([unquote(segment) for segment in parts.path.split("/")[1:]])
        if segments == ["health"]:
            self._send(json_answer({"status": "ok"}))
            return
        asked = self.server.asked.setdefault(client, deque(maxlen=_REMEMBERED))
        if segments == ["asked"]:
            self._send(json_answer({"asked": list(asked)}))
            return
        request = f"/{'/'.join(segments)}?{parts.query}"
        asked.append(request)
        fate = self.server.faults.next_fate(client, request)
        if fate.delay_s:
            time.sleep(fate.delay_s)
        answer = fate.replacement or self._answer(segments, dict(parse_qsl(parts.query)))
        self._send(answer, is_truncated=fate.is_truncated)

    def _answer(self, segments: list[str], query: Mapping[str, str]) -> Answer:
        try:
            match segments:
                case [*head, ticker] if tuple(head) == _YAHOO:
                    return chart(self.server.market, ticker, query)
                case [*head, ticker, "prices"] if tuple(head) == _TIINGO:
                    return daily_prices(self.server.market, ticker, query, self._token(query))
                case _:
                    return json_answer({"detail": "Not found."}, status=404)
        except Refused as refused:
            return refused.answer

    def _token(self, query: Mapping[str, str]) -> str:
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        return query.get("token") or (value.strip() if scheme.lower() == "token" else "")

    def _send(self, answer: Answer, *, is_truncated: bool = False) -> None:
        body = answer.body[: len(answer.body) // 2] if is_truncated else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = self.close_connection or is_truncated

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a log of thousands of requests helps nobody."""


def _client(segments: list[str]) -> tuple[str, list[str]]:
    if segments[:1] == [CLIENT_PREFIX] and len(segments) > 1:
        return segments[1], segments[2:]
    return "", segments
