"""Which session a request belongs to: told from who sends it, and from how long that client was silent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from harness.domain.exchange import Request


class ClientKey(StrEnum):
    """What tells one client from another."""

    ADDRESS = "address"
    AUTHORIZATION = "authorization"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitting:
    """How traffic is split; `cookie` names the one that tells clients apart, where that is a cookie."""

    by: ClientKey = ClientKey.ADDRESS
    cookie: str = ""
    idle_gap: timedelta = timedelta(minutes=30)


@dataclass(slots=True, kw_only=True)
class _Open:
    number: int
    address: str
    latest_at: datetime


class SessionSplitter:
    """Numbers sessions from 1, in the order in which their first requests are given.

    A request without the credential or cookie that tells clients apart belongs to its address. The first request that
    brings one which an answer of an open session of that address gave out continues that session: so a login and what
    follows it are one session, and what the address sends anonymously later is another.
    """

    def __init__(self, splitting: Splitting, *, gave_out: Callable[[int, str], bool] = lambda _number, _text: False):
        self._splitting = splitting
        self._gave_out = gave_out
        self._open: dict[str, _Open] = {}
        self._count = 0

    def assign(self, request: Request, address: str, at: datetime) -> int:
        """The number of the session of a request that was sent at `at`."""
        credential = self._credential(request)
        key = f"address {address}" if credential is None else f"credential {credential}"
        found = self._live(key, at)
        if found is None and credential is not None:
            found = self._adopt(key, credential, address, at)
        if found is None:
            self._count += 1
            found = self._open[key] = _Open(number=self._count, address=address, latest_at=at)
        found.latest_at = max(found.latest_at, at)
        return found.number

    def close_idle(self, now: datetime) -> frozenset[int]:
        """Ends the sessions that were silent for longer than the gap; gives their numbers."""
        ended = {key: each for key, each in self._open.items() if now - each.latest_at > self._splitting.idle_gap}
        for key in ended:
            del self._open[key]
        still = {each.number for each in self._open.values()}
        return frozenset(each.number for each in ended.values()) - still

    def _live(self, key: str, at: datetime) -> _Open | None:
        found = self._open.get(key)
        return None if found is None or at - found.latest_at > self._splitting.idle_gap else found

    def _adopt(self, key: str, credential: str, address: str, at: datetime) -> _Open | None:
        anonymous = f"address {address}"
        for other, each in tuple(self._open.items()):
            is_near = each.address == address and self._live(other, at) is not None
            if is_near and self._gave_out(each.number, credential):
                self._open[key] = each
                if other == anonymous:
                    del self._open[other]
                return each
        return None

    def _credential(self, request: Request) -> str | None:
        if self._splitting.by is ClientKey.AUTHORIZATION:
            value = next((value for name, value in request.headers if name.lower() == "authorization"), None)
            return None if value is None else value.rpartition(" ")[2]
        if self._splitting.by is ClientKey.COOKIE:
            return dict(cookie_pairs(request)).get(self._splitting.cookie)
        return None


def cookie_pairs(request: Request) -> tuple[tuple[str, str], ...]:
    """The names and values of the cookies that a request brings, in order."""
    texts = (value for name, value in request.headers if name.lower() == "cookie")
    parts = (part.strip().partition("=") for text in texts for part in text.split(";"))
    return tuple((name, value) for name, _, value in parts if name)
