"""Serves the market: `python -m legacy_adapter.market --port 9100`."""

import argparse
from dataclasses import fields
from datetime import UTC, date, datetime

from legacy_adapter.market.catalogue import DEFAULT_SEED, Market
from legacy_adapter.market.faults import Faults, FaultSettings
from legacy_adapter.market.server import MarketServer
from legacy_adapter.market.trading_days import HORIZON


def main() -> None:
    """Serves on loopback until it is told to stop."""
    parser = argparse.ArgumentParser(prog="legacy_adapter.market", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of prices and faults")
    parser.add_argument("--last-day", type=date.fromisoformat, default=None, help="default: today, in UTC")
    parser.add_argument("--synthetic", type=int, default=0, help="so many tickers more, SYN00000 and on")
    for name in _fault_names():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=0.0)
    arguments = parser.parse_args()
    faults = {name: getattr(arguments, name) for name in _fault_names() if getattr(arguments, name)}
    last_day = min(arguments.last_day or datetime.now(UTC).date(), HORIZON)
    market = Market(seed=arguments.seed, last_day=last_day, synthetic=arguments.synthetic)
    with MarketServer(arguments.port, market, Faults(FaultSettings(seed=arguments.seed, **faults))) as server:
        server.serve_forever()


def _fault_names() -> list[str]:
    return [field.name for field in fields(FaultSettings) if field.name != "seed"]


if __name__ == "__main__":
    main()
