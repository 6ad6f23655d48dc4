"""The registry of universes."""

import subprocess
import sys

import pytest

from target.catalogue.universes import (
    UnknownRegion,
    UnknownUniverse,
    get_universe,
    list_in_region,
    list_universes,
    universe_keys,
)


def test_the_registry_has_the_contracts_order_and_sizes():
    assert [(universe.key, len(universe.tickers)) for universe in list_universes()] == [
        ("SPX500", 50),
        ("NASDAQ100", 100),
        ("RUSSELL2000", 100),
        ("US_ETFS", 40),
        ("ASX200", 50),
        ("ASX_TOTAL", 99),
        ("ASX_ETFS", 25),
        ("CORE_ETFS", 15),
    ]


def test_only_one_list_names_a_ticker_twice():
    doubled = {
        universe.key: {ticker for ticker in universe.tickers if universe.tickers.count(ticker) > 1}
        for universe in list_universes()
        if len(set(universe.tickers)) < len(universe.tickers)
    }
    assert doubled == {"RUSSELL2000": {"IONQ"}}


def test_the_total_market_is_sorted():
    tickers = get_universe("ASX_TOTAL").tickers
    assert list(tickers) == sorted(tickers)


@pytest.mark.parametrize("key", ["spx500", "", "SPX500 ", "regions"])
def test_keys_are_case_sensitive_and_exact(key: str):
    with pytest.raises(UnknownUniverse) as raised:
        get_universe(key)
    assert str(raised.value) == f"Unknown universe '{key}'. Available: {universe_keys()}"


def test_regions_are_listed_in_the_registrys_order():
    assert [universe.key for universe in list_in_region("AU")] == ["ASX200", "ASX_TOTAL", "ASX_ETFS"]
    with pytest.raises(UnknownRegion, match=r"region 'EU'. Available: \['US', 'AU', 'GLOBAL'\]"):
        list_in_region("EU")


def test_the_catalogue_is_cheap_to_import():
    program = "import sys, target.catalogue.universes as u; u.list_universes(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "pyarrow", "pydantic", "fastapi", "sqlalchemy"} & set(loaded)
