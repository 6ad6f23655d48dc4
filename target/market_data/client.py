"""Fetches daily prices of many tickers, each from its source, a bounded number at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from functools import lru_cache
from ssl import SSLContext

import httpx
from pydantic import SecretStr

from target.market_data.asking import AskedSource, AskedTiingo, AskedYahoo
from target.market_data.bars import DailyBar, FailureClass, FetchOutcome, Source, TickerOutcome
from target.market_data.rate_limit import TokenBucket
from target.market_data.retries import RetryPolicy
from target.market_data.sources import source_of
from target.market_data.transport import Timing, Transport
from target.settings import Settings

OnOutcome = Callable[[TickerOutcome], None]
GetToken = Callable[[], Awaitable[SecretStr]]

_YAHOO_REQUESTS_PER_HOUR = 4_000
_AGENT = {"User-Agent": "potential-parakeet/2"}
_NO_TOKEN = SecretStr("")
# httpx looks through all connections of a client at every request: with many, it would do little else.
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)


class MarketDataClient:
    """One process's way to the sources of prices. Opens nothing until asked; its rate limits live as long as it."""

    def __init__(
        self,
        settings: Settings,
        get_token: GetToken,
        *,
        concurrency: int | None = None,
        policy: RetryPolicy | None = None,
        timing: Timing | None = None,
    ) -> None:
        """`get_token` gives Tiingo's; `concurrency` bounds the requests in flight (default: MAX_CONCURRENT)."""
        self._settings = settings
        self._get_token = get_token
        self._concurrency = concurrency or settings.max_concurrent
        self._policy = policy or RetryPolicy()
        self._timing = timing or Timing()
        self._buckets = {
            Source.TIINGO: self._bucket(settings.tiingo_rate_limit),
            Source.YFINANCE: self._bucket(_YAHOO_REQUESTS_PER_HOUR),
        }

    async def fetch_daily(
        self, tickers: Iterable[str], start: date, end: date, *, on_outcome: OnOutcome | None = None
    ) -> FetchOutcome:
        """Return the bars of the days from `start` to `end`, both included; a ticker's failure is data, not raised.

        `on_outcome` hears of each ticker as soon as it is done. Every outcome is also kept until the end: for years
        of a large universe use `fetch_each`.

        Raises:
            SecretsUnavailable: the token cannot be had now.
        """
        done: dict[str, TickerOutcome] = {}

        def keep(outcome: TickerOutcome) -> None:
            done[outcome.ticker] = outcome
            if on_outcome is not None:
                on_outcome(outcome)

        asked = tuple(dict.fromkeys(tickers))
        await self.fetch_each(asked, start, end, keep)
        return _collected([done[ticker] for ticker in asked])

    async def fetch_each(self, tickers: Iterable[str], start: date, end: date, receive: OnOutcome) -> None:
        """As `fetch_daily`, keeping nothing: `receive` is called once for each ticker, in the order they are done."""
        asked = tuple(dict.fromkeys(tickers))
        named = {source_of(ticker) for ticker in asked}
        token = await self._get_token() if Source.TIINGO in named else _NO_TOKEN
        waiting = iter(asked)

        async def work() -> None:
            async with self._asked_sources(named, token) as sources:
                for ticker in waiting:  # shared: each worker takes the next one
                    receive(await sources[source_of(ticker)].fetch(ticker, start, end))

        await _run_all([work() for _ in range(min(self._concurrency, len(asked)))])

    @asynccontextmanager
    async def _asked_sources(self, named: Set[Source], token: SecretStr) -> AsyncIterator[Mapping[Source, AskedSource]]:
        """One worker's sources."""
        async with AsyncExitStack() as stack:
            sources: dict[Source, AskedSource] = {}
            if Source.TIINGO in named:
                client = await stack.enter_async_context(self._client(self._settings.tiingo_base_url))
                sources[Source.TIINGO] = AskedTiingo(self._transport(client, Source.TIINGO), token)
            if Source.YFINANCE in named:
                client = await stack.enter_async_context(self._client(self._settings.yahoo_base_url))
                sources[Source.YFINANCE] = AskedYahoo(self._transport(client, Source.YFINANCE))
            yield sources

    def _transport(self, client: httpx.AsyncClient, source: Source) -> Transport:
        return Transport(client=client, bucket=self._buckets[source], policy=self._policy, timing=self._timing)

    def _client(self, address: str) -> httpx.AsyncClient:
        # Redirects are not followed: the token must not travel to another host.
        return httpx.AsyncClient(
            base_url=address,
            headers=_AGENT,
            timeout=self._settings.market_data_timeout_s,
            limits=_ONE_CONNECTION,
            verify=_tls(),
            trust_env=False,
        )

    def _bucket(self, per_hour: int) -> TokenBucket:
        return TokenBucket(per_hour, clock=self._timing.clock, sleep=self._timing.sleep)


async def _run_all(tasks: Sequence[Coroutine[None, None, None]]) -> None:
    """Run them together; the first that raises ends the others, and its own exception is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@lru_cache(maxsize=1)
def _tls() -> SSLContext:
    """Reading the certificates takes tens of milliseconds: once a process."""
    return httpx.create_ssl_context()


def _collected(outcomes: Iterable[TickerOutcome]) -> FetchOutcome:
    bars: dict[str, tuple[DailyBar, ...]] = {}
    failures: dict[str, FailureClass] = {}
    rejected = {}
    for outcome in outcomes:
        if outcome.failure is None:
            bars[outcome.ticker] = outcome.bars
        else:
            failures[outcome.ticker] = outcome.failure
        if outcome.rejected:
            rejected[outcome.ticker] = outcome.rejected
    return FetchOutcome(bars=bars, failures=failures, rejected=rejected)
