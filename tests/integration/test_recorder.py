"""What a recorder writes is a session file that loads, whatever the order in which answers came."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.capture_journal import CaptureJournal, Finished, finish_recording
from harness.adapters.capture_recorder import Recorder
from harness.adapters.session_files import load_sessions
from harness.domain.capture.splitting import ClientKey, Splitting
from harness.domain.capture.steps import Captured
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Exchange, Headers, Request, Response, Side
from harness.domain.redaction import Redactor

_START = datetime(2026, 3, 1, tzinfo=UTC)
_JSON = ("Content-Type", "application/json")


class Writing:
    """A recording of what is given to it."""

    def __init__(self, directory: Path, by: ClientKey = ClientKey.ADDRESS) -> None:
        self.out = directory / "recorded.jsonl"
        self.journal = CaptureJournal(self.out)
        self.recorder = Recorder(self.journal, Splitting(by=by), Redactor(key=b"k"), lambda error: None)

    def add(
        self, at: float, method: str, url: str, answer: Any = None, *, headers: Headers = (), sets: Headers = ()
    ) -> None:
        body = b"" if answer is None else json.dumps(answer).encode()
        exchange = Exchange(
            side=Side.LEGACY,
            base_url="http://x",
            request=Request(method=method, url=url, headers=headers),
            response=Response(status=200, headers=(_JSON, *sets), body=body),
            sent_at=_START + timedelta(seconds=at),
            duration_ms=100,
        )
        self.recorder.take(Captured(exchange=exchange, address="a"))

    def finish(self) -> Finished:
        self.journal.close()
        return finish_recording(self.journal.path, self.out)


def test_logins_behind_one_address_are_sessions_that_refer_to_their_own_tokens(tmp_path: Path) -> None:
    writing = Writing(tmp_path, ClientKey.AUTHORIZATION)
    tokens = ("token-of-the-first", "token-of-the-second")
    for at, token in enumerate(tokens):
        writing.add(at * 10, "POST", "/login", {"access_token": token})
        writing.add(at * 10 + 1, "GET", "/me", {}, headers=(("Authorization", f"Bearer {token}"),))
    writing.add(30, "GET", "/me", {}, headers=(("Authorization", f"Bearer {tokens[0]}"),))
    assert writing.finish() == Finished(sessions=2, steps=5, references=3)
    first, second = load_sessions([str(writing.out)])
    assert [step.url for step in first.steps] == ["/login", "/me", "/me"]
    assert first.steps[0].save == (("access_token_1", "/access_token"),) == second.steps[0].save
    assert {step.headers for step in (*first.steps[1:], *second.steps[1:])} == {
        (("Authorization", "Bearer {{access_token_1}}"),)
    }
    assert not any(token in writing.out.read_text() for token in tokens)


def test_a_cookie_session_is_saved_and_sent_back(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    writing.add(0, "POST", "/login", sets=(("Set-Cookie", "sid=s3cret; Path=/"),))
    writing.add(1, "GET", "/me", headers=(("Cookie", "sid=s3cret"),))
    writing.finish()
    (session,) = load_sessions([str(writing.out)])
    assert session.steps[0].save == (("cookie_sid_1", "cookie sid"),)
    assert session.steps[1].headers == (("Cookie", "sid={{cookie_sid_1}}"),)


def test_steps_are_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    writing = Writing(tmp_path)
    for at in (3, 1, 2):
        writing.add(at, "GET", f"/{at}")
    writing.finish()
    (session,) = load_sessions([str(writing.out)])
    assert [(step.n, step.url) for step in session.steps] == [(1, "/1"), (2, "/2"), (3, "/3")]


def test_a_journal_that_is_none_is_told_and_left(tmp_path: Path) -> None:
    part = tmp_path / "x.part"
    part.write_text("not a journal\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        finish_recording(part, tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.part"]
