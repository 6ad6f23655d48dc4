"""How the market reaches both sides, and how its settings are checked."""

from pathlib import Path

import msgspec
import pytest

from harness.domain.cloud import CloudDefinition, FunctionDefinition
from harness.domain.errors import ConfigurationError
from harness.settings import LegacySettings, LocalMarketSettings, Settings
from harness.wiring.functions import with_declared
from harness.wiring.legacy import legacy_system
from harness.wiring.market import local_market, market_variables
from legacy_adapter.market.listings import load_listings

_ROOT = Path(__file__).resolve().parents[2]
_URL = "http://127.0.0.1:9/as/target"


def _function(key: str, **environment: str) -> FunctionDefinition:
    return FunctionDefinition(
        key=key,
        name=f"it-{key}",
        handler="it.handler.handler",
        runtime="python3.11",
        memory_mb=256,
        timeout_s=10,
        environment=environment,
        role="arn:aws:iam::123456789012:role/it",
    )


def test_a_function_gets_an_address_only_where_terraform_names_it() -> None:
    asks = _function("asks", YAHOO_BASE_URL="https://query1.finance.yahoo.com", LOG_LEVEL="INFO")
    plain = _function("plain", LOG_LEVEL="INFO")
    definition = CloudDefinition(
        environment="local",
        region="us-east-1",
        account_id="123456789012",
        functions=(asks, plain),
        routes=(),
        buckets=(),
        secrets=(),
    )
    given = with_declared(definition, market_variables(_URL))
    assert given.functions[0].environment == {"YAHOO_BASE_URL": _URL, "LOG_LEVEL": "INFO"}
    assert given.functions[1].environment == {"LOG_LEVEL": "INFO"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"error_ratio": 1.5}, "error_ratio"), ({"latency_ms": -1.0}, "latency_ms"), ({"last_day": "soon"}, "last_day")],
)
def test_impossible_settings_are_refused(tmp_path: Path, changes: dict[str, float | str], named: str) -> None:
    settings = msgspec.convert(changes, LocalMarketSettings)
    with pytest.raises(ConfigurationError, match=named) as raised:
        local_market(settings, tmp_path / "log")
    assert "[local.market]" in raised.value.where


def test_the_settings_file_knows_the_market_and_the_port() -> None:
    raw = {"legacy": {"port": 8000}, "local": {"market": {"throttled_ratio": 0.1, "last_day": "2026-01-30"}}}
    settings = msgspec.convert(raw, Settings)
    assert (settings.legacy.port, settings.local.market.throttled_ratio) == (8000, 0.1)


def test_every_client_has_an_address_of_its_own(tmp_path: Path) -> None:
    market = local_market(LocalMarketSettings(), tmp_path / "log")
    assert market.url_for("legacy") != market.url_for("target")
    assert market.url_for("legacy").endswith("/as/legacy")


def test_a_directory_that_is_a_file_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    settings = LegacySettings(
        mode="process", command=["true"], working_directory=str(tmp_path), cache_directory="cache"
    )
    with pytest.raises(ConfigurationError, match="cannot be used"):
        legacy_system(settings, tmp_path / "runtime", _URL)


def test_the_markets_page_counts_its_tickers() -> None:
    assert f"name ({len(load_listings())}, in" in (_ROOT / "docs" / "market.md").read_text(encoding="utf-8")
