"""How each deployed function is called, by `scenarios/probes.toml`: the requests and events of its everyday work."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
import orjson

from harness.adapters.http import HttpSide
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.staging.stack import LocalCloud
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import ProbeContext
from harness.wiring.replay import authorizer

_Described = TypeVar("_Described")


class HttpCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request through the gateway; `auth` is a kind of token as in session files."""

    url: str
    method: str = "GET"
    json: Any = None
    auth: str | None = None

    def request(self, authorization: str | None = None) -> Request:
        """The request to send."""
        headers = (("Authorization", authorization),) if authorization else ()
        if self.json is None:
            return Request(method=self.method, url=self.url, headers=headers)
        headers = (*headers, ("Content-Type", "application/json"))
        return Request(method=self.method, url=self.url, headers=headers, body=orjson.dumps(self.json))


class FunctionCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of one function: the reading request, what more makes it use its grants, and events that invoke it directly."""

    read: HttpCall | None = None
    more: list[HttpCall] = []
    events: list[dict[str, Any]] = []
    cold_starts: int = 0
    """How many are measured; the tail of 95 % needs 59 at least."""

    @property
    def requests(self) -> tuple[HttpCall, ...]:
        """All that go through the gateway, the reading one first."""
        return (*([self.read] if self.read else []), *self.more)


def load_failing_sources() -> Mapping[str, str]:
    """Variables under which a part of the calls fails, so that what is granted for failures is used too.

    Raises:
        ConfigurationError: they are not described.
    """
    return _load("failing_sources", dict[str, str])


def calls_of(key: str) -> FunctionCalls:
    """The calls of one function.

    Raises:
        ConfigurationError: they are not described.
    """
    found = _load("functions", dict[str, FunctionCalls]).get(key)
    if found is None:
        hint = f"Write [functions.{key}] with a request or an event."
        raise ConfigurationError(f"nobody says how {key} is called", where="scenarios/probes.toml", hint=hint)
    return found


def reading_request(key: str) -> Request:
    """The request by which a function's cold start is measured.

    Raises:
        ConfigurationError: there is none.
    """
    read = calls_of(key).read
    if read is None:
        hint = f"Write `read` under [functions.{key}]; a function that the gateway does not reach has none."
        raise ConfigurationError(f"nobody says how {key} is read", where="scenarios/probes.toml", hint=hint)
    return read.request()


async def make_calls(context: ProbeContext, cloud: LocalCloud, keys: Iterable[str]) -> None:
    """Makes every call of these functions on that cloud, one after another; what is answered is not judged here."""
    client = HttpSide(Side.TARGET, cloud.gateway_url)
    try:
        for key in keys:
            calls = calls_of(key)
            for call in calls.requests:
                await client.send(call.request(_authorization(context, call)))
            for event in calls.events:
                await cloud.invoke(key, event)
    finally:
        await client.close()


def _authorization(context: ProbeContext, call: HttpCall) -> str | None:
    if call.auth is None:
        return None
    secret = context.pair.target_jwt_secret_file.read_text(encoding="utf-8").strip()
    return authorizer(secret)(call.auth)


def _load(section: str, kind: type[_Described]) -> _Described:
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))[section], kind)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"[{section}] is not described: {error}", where=str(path)) from error
