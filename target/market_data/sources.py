"""Which source a ticker is asked from. Source: contract section 4.3."""

from target.market_data.bars import Source

_AUSTRALIAN = ".AX"
_ONLY_AT_YAHOO = frozenset({"^VIX", "^GSPC", "^DJI", "^IXIC", "BTC-USD", "BTC-AUD", "ETH-USD"})


def source_of(ticker: str) -> Source:
    """Return Yahoo for Australian tickers, the four indices and three coins; Tiingo for all else. Case matters."""
    if ticker.endswith(_AUSTRALIAN) or ticker in _ONLY_AT_YAHOO:
        return Source.YFINANCE
    return Source.TIINGO
