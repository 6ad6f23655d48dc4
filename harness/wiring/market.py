"""The generated market that both sides ask for prices, as the configuration describes it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from harness.domain.errors import ConfigurationError
from harness.settings import FILE_NAME, LocalMarketSettings
from legacy_adapter.local_market import LocalMarket, MarketSettings

_NOT_FAULTS = frozenset({"seed", "last_day", "synthetic"})


def local_market(settings: LocalMarketSettings, log_path: Path) -> LocalMarket:
    """The market, not started.

    Raises:
        ConfigurationError: a ratio or the last day is impossible.
    """
    faults = {name: value for name, value in msgspec.structs.asdict(settings).items() if name not in _NOT_FAULTS}
    for name, value in faults.items():
        if value < 0 or (name.endswith("_ratio") and value > 1):
            hint = "Ratios lie between 0 and 1, times are not negative."
            raise ConfigurationError(
                f"{name} = {value:g} is impossible", where=f"[local.market] in {FILE_NAME}", hint=hint
            )
    return LocalMarket(
        MarketSettings(
            log_path=log_path,
            seed=settings.seed,
            last_day=_last_day(settings.last_day),
            synthetic=settings.synthetic,
            faults=faults,
        )
    )


def market_variables(url: str) -> Mapping[str, str]:
    """What an application reads to find the market: the sources' addresses, by the names that both sides use."""
    return {"TIINGO_BASE_URL": url, "YAHOO_BASE_URL": url}


def _last_day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        hint = "Write it as YYYY-MM-DD."
        raise ConfigurationError(
            f"last_day {text!r} is no date", where=f"[local.market] in {FILE_NAME}", hint=hint
        ) from None
