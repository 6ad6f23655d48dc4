"""One source during one fetch: a ticker in, its outcome out."""

import logging
from datetime import date
from typing import Protocol

from pydantic import SecretStr

from target.market_data import tiingo, yahoo
from target.market_data.bars import FailureClass, TickerOutcome
from target.market_data.rows import Malformed
from target.market_data.transport import FetchFailed, Transport

_log = logging.getLogger(__name__)


class AskedSource(Protocol):
    """What the workers of a fetch need of a source."""

    async def fetch(self, ticker: str, first: date, last: date) -> TickerOutcome:
        """Return the outcome; whatever a source does is in it, never raised."""


class AskedTiingo:
    """Tiingo, with the token in a header: addresses end up in logs, headers do not."""

    def __init__(self, transport: Transport, token: SecretStr) -> None:
        self._transport = transport
        self._token = token
        self._is_refused = not token.get_secret_value()

    async def fetch(self, ticker: str, first: date, last: date) -> TickerOutcome:
        """Return the outcome; once the token was refused, without asking."""
        # Thousands of further requests with a refused token would only look like an attack.
        if self._is_refused:
            return TickerOutcome(ticker=ticker, failure=FailureClass.REFUSED_CREDENTIALS)
        headers = {"Authorization": f"Token {self._token.get_secret_value()}"}
        try:
            document = await self._transport.get_json(tiingo.path_of(ticker), tiingo.query_of(first, last), headers)
            return tiingo.read_prices(ticker, document, first, last)
        except (FetchFailed, Malformed) as error:
            outcome = _failed(ticker, error)
        self._is_refused |= outcome.failure is FailureClass.REFUSED_CREDENTIALS
        return outcome


class AskedYahoo:
    """Yahoo, which asks for no credentials."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def fetch(self, ticker: str, first: date, last: date) -> TickerOutcome:
        """Return the outcome."""
        try:
            document = await self._transport.get_json(yahoo.path_of(ticker), yahoo.query_of(first, last), {})
            return yahoo.read_chart(ticker, document, first, last)
        except (FetchFailed, Malformed) as error:
            return _failed(ticker, error)


def _failed(ticker: str, error: FetchFailed | Malformed) -> TickerOutcome:
    failure = error.failure if isinstance(error, FetchFailed) else FailureClass.MALFORMED
    _log.warning("No prices for %s: %s", ticker, error)
    return TickerOutcome(ticker=ticker, failure=failure)
