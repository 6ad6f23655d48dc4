"""Both systems filling their caches from one market: what the storage probes do with them.

The legacy is one of the probe's own, since the pair's has a history by then.
"""

import json
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from harness.adapters.http import HttpSide
from harness.domain.difference import Difference
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Request, Side
from harness.domain.objects import ObjectState
from harness.uninterrupted import run_together
from harness.wiring.legacy import legacy_system, place_database
from harness.wiring.objects import compare_stored_objects
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import ProbeContext
from harness.wiring.target_state import CloudState, target_bucket
from legacy_adapter.adapter import LegacySystem

_TICKERS = "{tickers}"


class CacheCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the caches are filled and what with (`scenarios/probes.toml`)."""

    legacy_environment: dict[str, str]
    refresh_path: str
    refresh_body: str
    """JSON in which `{tickers}` stands for a list of names."""
    tickers: list[str]
    lost_tickers: list[str]
    """Of `tickers`: those that a cache lacks which has to be completed."""
    lost_days: int
    """Rows that such a cache lacks at its end."""
    asked_pattern: str
    """Finds `ticker`, `first` and `last` day in a request to the market."""
    overlap_days: int
    """So many days that are there may be asked for with the missing ones, to see that old and new fit."""
    writers: list[list[str]]
    """Groups of tickers that are asked for at once."""
    load_path: str
    load_body: str
    """What makes the target load prices of many tickers."""
    loads: int
    read_url: str
    reads: int
    """What makes it read all that is cached, and how often."""
    hits_metric: str
    misses_metric: str
    read_time_metric: str
    """What the target's functions tell of it in their logs; times in ms."""
    background_timeout_s: float = 120.0


class CachePair:
    """The probe's legacy and the pair's target."""

    def __init__(self, context: ProbeContext, cases: CacheCases, legacy: LegacySystem) -> None:
        self._context = context
        self._cases = cases
        self._legacy = legacy
        self.bucket = target_bucket(context.pair, context.settings.objects)
        self._state = CloudState(context.pair, context.settings.objects)

    @property
    def legacy_cache(self) -> Path:
        """The legacy's directory of files; raises ConfigurationError where it cannot be reached."""
        if self._legacy.cache_directory is None:
            raise ConfigurationError("the legacy's cache is not named", hint="Set `cache_directory` under [legacy].")
        return self._legacy.cache_directory

    async def fill_legacy(self, tickers: Sequence[str]) -> None:
        """Lets the legacy fetch; returns once it has. It works on its one loop, so it answers again only then."""
        await _send(Side.LEGACY, self._legacy.url, self._refresh(tickers))
        await _send(Side.LEGACY, self._legacy.url, Request(method="GET", url="/"))

    async def fill_target(self, *groups: Sequence[str]) -> None:
        """Lets the target fetch, every group at once; returns once its queues are empty; raises as `run_target`."""
        await self.run_target([self._refresh(group) for group in groups])

    async def run_target(self, requests: Sequence[Request]) -> None:
        """Sends these at once; returns once the work that they left in queues is done.

        Raises:
            SystemUnavailable: one is not answered with 200, work was given up, or is not done in time.
        """
        url = self._context.pair.cloud.gateway_url
        await run_together(*(_send(Side.TARGET, url, request) for request in requests))
        await self._state.settle(self._cases.background_timeout_s)
        if await self._state.count_given_up():
            hint = "See the logs of the function that the queue invokes."
            raise SystemUnavailable("the target gave work up", where="its dead-letter queue", hint=hint)

    async def empty_target(self) -> None:
        """Removes everything below the prefix of the target's bucket."""
        for key in await self.bucket.list_keys():
            await self.bucket.remove(key)

    async def compare(self, directory: Path | None = None) -> tuple[ObjectState, list[Difference]]:
        """The legacy's objects (or those of a directory), and every difference of the target's from them."""
        cache = directory or self.legacy_cache
        state, differences = await compare_stored_objects(cache, self.bucket, self._context.settings.objects)
        return state, list(differences)

    async def asked(self) -> tuple[str, ...]:
        """What the target has asked the market so far."""
        return await self._context.pair.market.asked("target")

    def _refresh(self, tickers: Sequence[str]) -> Request:
        body = self._cases.refresh_body.replace(_TICKERS, json.dumps(list(tickers)))
        return json_request(self._cases.refresh_path, body)


@asynccontextmanager
async def cache_pair(context: ProbeContext, name: str) -> AsyncIterator[tuple[CachePair, CacheCases]]:
    """Starts a legacy beside the running pair; both caches are as they were found, and the target's is emptied after.

    Raises:
        ConfigurationError: the probe is not described.
        SystemUnavailable: the legacy does not start.
    """
    cases = load_cases()
    settings = context.settings.legacy
    changed = msgspec.structs.replace(settings, environment={**settings.environment, **cases.legacy_environment})
    runtime = context.temporary_directory(name)
    legacy = legacy_system(changed, runtime / "legacy", context.pair.market.url_for("legacy"))
    place_database(changed, None, legacy)
    try:
        await legacy.start()
        pair = CachePair(context, cases, legacy)
        async with context.restored_state():
            yield pair, cases
            await pair.empty_target()
    finally:
        await legacy.stop()


def json_request(path: str, body: str) -> Request:
    """A POST of a JSON text."""
    return Request(method="POST", url=path, headers=(("content-type", "application/json"),), body=body.encode())


def load_cases() -> CacheCases:
    """`[cache]` of the probes' file; raises ConfigurationError."""
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["cache"], CacheCases)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the storage probes are not described: {error}", where=str(path)) from error


async def _send(side: Side, url: str, request: Request) -> None:
    client = HttpSide(side, url)
    try:
        exchange = await client.send(request)
    finally:
        await client.close()
    status = exchange.response.status if exchange.response else exchange.transport_error
    if status != 200:
        hint = "See [cache] in scenarios/probes.toml, and that system's log."
        raise SystemUnavailable(f"the {side} answered {status}", where=f"{request.method} {request.url}", hint=hint)
