"""Where writes are copied too, the target is sent the cookies, tokens and ids that it gave out itself."""

import json
from datetime import UTC, datetime, timedelta

from harness.domain.capture.own_values import OwnValues, filled
from harness.domain.exchange import Exchange, Headers, Request, Response, Side

_START = datetime(2026, 3, 1, tzinfo=UTC)


class Pair:
    """A session, of which each side's answers are given."""

    def __init__(self) -> None:
        self.own = OwnValues()
        self._seconds = 0

    def send(
        self, request: Request, legacy: tuple[Headers, object] = ((), None), target: tuple[Headers, object] = ((), None)
    ) -> Request:
        """What the target is sent for the client's request."""
        self._seconds += 1
        found, values = self.own.refer(request, _START + timedelta(seconds=self._seconds))
        self.own.learn(self._exchange(Side.LEGACY, request, *legacy), self._exchange(Side.TARGET, request, *target))
        return filled(found, values)

    def _exchange(self, side: Side, request: Request, headers: Headers, body: object) -> Exchange:
        return Exchange(
            side=side,
            base_url="http://x",
            request=request,
            response=Response(status=200, headers=headers, body=b"" if body is None else json.dumps(body).encode()),
            sent_at=_START + timedelta(seconds=self._seconds),
            duration_ms=1.0,
        )


def test_cookies_tokens_and_ids_are_the_targets_own() -> None:
    pair, login, make = Pair(), Request(method="POST", url="/login"), Request(method="POST", url="/ports")
    pair.send(
        login, ((("Set-Cookie", "sid=l1; Path=/"),), {"token": "abc"}), ((("set-cookie", "sid=t1"),), {"token": "d/e"})
    )
    pair.send(make, ((("Location", "/ports/17"),), None), ((("Location", "/v2/ports/4711"),), None))
    sent = pair.send(
        Request(
            method="PUT",
            url="/ports/17?size=17",
            headers=(("Cookie", "sid=l1; a=b"), ("Authorization", "Bearer abc"), ("Content-Type", "application/json")),
            body=b'{"port_id": 17, "n": 17}',
        )
    )
    assert sent.url == "/ports/4711?size=17"
    assert sent.headers[:2] == (("Cookie", "sid=t1; a=b"), ("Authorization", "Bearer d/e"))
    assert sent.body == b'{"port_id": 4711, "n": 17}'


def test_what_both_gave_alike_or_only_one_gave_is_sent_as_the_client_sent_it() -> None:
    pair = Pair()
    pair.send(Request(method="POST", url="/a"), ((), {"id": 5, "key": 6}), ((), {"id": 5}))
    request = Request(method="GET", url="/a/5?a_key=6")
    assert pair.send(request) == request


def test_a_body_that_is_no_text_or_has_braces_of_its_own_is_sent_as_it_is() -> None:
    pair = Pair()
    pair.send(Request(method="POST", url="/a"), ((), {"id": 5}), ((), {"id": 7}))
    for body in (b"\xff\x00", b'{"a_id": 5, "text": "{{id}}"}'):
        request = Request(method="POST", url="/a/5", headers=(("Content-Type", "application/json"),), body=body)
        assert pair.send(request) == request
