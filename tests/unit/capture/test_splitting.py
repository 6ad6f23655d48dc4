"""Requests are split into sessions by client and by silence."""

from datetime import UTC, datetime, timedelta

from harness.domain.capture.splitting import ClientKey, SessionSplitter, Splitting
from harness.domain.exchange import Request

_START = datetime(2026, 3, 1, tzinfo=UTC)


def _get(**headers: str) -> Request:
    return Request(method="GET", url="/", headers=tuple(headers.items()))


def _at(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


def test_each_address_is_a_session_until_it_is_silent() -> None:
    splitter = SessionSplitter(Splitting(idle_gap=timedelta(seconds=10)))
    given = [("a", 0), ("b", 1), ("a", 10), ("a", 21), ("b", 10)]
    assert [splitter.assign(_get(), address, _at(at)) for address, at in given] == [1, 2, 1, 3, 2]


def test_users_behind_one_address_are_told_apart_by_their_credentials() -> None:
    splitter = SessionSplitter(Splitting(by=ClientKey.AUTHORIZATION))
    tokens = ("Bearer one", "Bearer two", "Bearer one", "Basic one")
    assert [splitter.assign(_get(Authorization=token), "a", _at(0)) for token in tokens] == [1, 2, 1, 1]


def test_a_login_and_what_follows_it_are_one_session() -> None:
    given = {1: "token-of-one", 2: "token-of-two"}
    splitter = SessionSplitter(
        Splitting(by=ClientKey.AUTHORIZATION), gave_out=lambda number, text: given.get(number) == text
    )
    first = splitter.assign(_get(), "a", _at(0))
    assert splitter.assign(_get(Authorization="Bearer token-of-one"), "a", _at(1)) == first == 1
    second = splitter.assign(_get(), "a", _at(2))
    assert splitter.assign(_get(Authorization="Bearer token-of-two"), "a", _at(3)) == second == 2
    assert splitter.assign(_get(Authorization="Bearer token-of-one"), "a", _at(4)) == 1


def test_a_credential_given_to_another_address_is_not_its_own() -> None:
    splitter = SessionSplitter(Splitting(by=ClientKey.AUTHORIZATION), gave_out=lambda _number, _text: True)
    assert splitter.assign(_get(), "a", _at(0)) == 1
    assert splitter.assign(_get(Authorization="Bearer x"), "b", _at(1)) == 2


def test_only_the_named_cookie_tells_clients_apart() -> None:
    splitter = SessionSplitter(Splitting(by=ClientKey.COOKIE, cookie="sid"))
    cookies = ("seen=1; sid=one", "sid=two", "seen=2;sid=one")
    assert [splitter.assign(_get(Cookie=cookie), "a", _at(0)) for cookie in cookies] == [1, 2, 1]


def test_ended_sessions_are_named_once() -> None:
    splitter = SessionSplitter(Splitting(idle_gap=timedelta(seconds=10)))
    splitter.assign(_get(), "a", _at(0))
    splitter.assign(_get(), "b", _at(9))
    assert splitter.close_idle(_at(15)) == {1}
    assert splitter.close_idle(_at(15)) == frozenset()
