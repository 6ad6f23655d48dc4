"""A replay keeps the cookies that a recording saves, each side its own, and never writes them down."""

from dataclasses import replace
from datetime import UTC, datetime

from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.record import SessionRecord
from harness.domain.session import Session, Step
from harness.domain.substitution import extract_saves
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_session import saved_values
from harness.engine.replay_sides import ReplaySide

LOGIN = Step(n=1, name="login", method="POST", url="/login", save=(("sid", "cookie sid"),))
ME = Step(n=2, name="me", method="GET", url="/me", headers=(("Cookie", "sid={{sid}}"),))


class Shop:
    """Gives out a session of its own, in an answer without a body."""

    def __init__(self, side: Side) -> None:
        self.cookie = f"{side}-session"
        self._side = side
        self.brought: list[str] = []

    async def send(self, request: Request) -> Exchange:
        self.brought += [value for name, value in request.headers if name == "Cookie"]
        sets = (("Set-Cookie", f"sid={self.cookie}; Path=/"),) if request.url == "/login" else ()
        return Exchange(
            side=self._side,
            base_url="http://x",
            request=request,
            response=Response(status=204, headers=sets, body=b""),
            sent_at=datetime(2026, 3, 1, tzinfo=UTC),
            duration_ms=1.0,
        )

    async def close(self) -> None:
        """Nothing is open."""


async def test_each_side_gets_its_own_cookie_back_and_the_record_does_not_say_which() -> None:
    legacy, target = Shop(Side.LEGACY), Shop(Side.TARGET)
    records: list[SessionRecord] = []
    session = Session(id="s", group="shop", steps=(LOGIN, ME), source="s.json")

    async def no_pause(_: float) -> None:
        return None

    sides = ReplaySide(client=legacy), ReplaySide(client=target)
    await replay_sessions([session], *sides, on_record=records.append, options=ReplayOptions(sleep=no_pause))
    assert set(legacy.brought) == {f"sid={legacy.cookie}"} and set(target.brought) == {f"sid={target.cookie}"}
    (note,) = records[0].steps[1].sent_differently
    assert note.startswith("{{sid}}: ") and legacy.cookie not in note and target.cookie not in note


def test_the_last_cookie_of_a_name_counts_and_an_absent_one_is_left_out() -> None:
    headers = (("Set-Cookie", "sid=a"), ("set-cookie", 'sid="b=c"; HttpOnly'), ("Set-Cookie", "other=d"))
    assert extract_saves(LOGIN, None, headers) == {"sid": '"b=c"'}
    assert extract_saves(LOGIN, None, ()) == {}


def test_an_answer_that_is_nested_deeper_than_can_be_walked_gives_nothing_to_save() -> None:
    body = b"[" * 3000 + b"]" * 3000
    exchange = Exchange(
        side=Side.LEGACY,
        base_url="http://x",
        request=Request(method="GET", url="/deep"),
        response=Response(status=200, headers=(("Set-Cookie", "sid=a"),), body=body),
        sent_at=datetime(2026, 3, 1, tzinfo=UTC),
        duration_ms=1.0,
    )
    assert saved_values(replace(LOGIN, save=(("sid", "cookie sid"), ("x", "/0"))), exchange) == {"sid": "a"}
