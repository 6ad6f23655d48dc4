"""Daily ingest: a universe's latest prices from their sources into `market_data`."""
