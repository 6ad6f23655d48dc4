"""A generated market: prices of the tickers that the legacy names, served as Tiingo and Yahoo do (docs/market.md)."""
