"""The generated market as a child process, for both sides to ask."""

import asyncio
import json
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from legacy_adapter.served_child import Launch, ServedChild

_PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """`faults` by the names of the server's options, such as `error_ratio`; `last_day` None means today;
    `synthetic` tickers are listed beside the legacy's."""

    log_path: Path
    seed: int | None = None
    last_day: date | None = None
    synthetic: int = 0
    faults: Mapping[str, float] = field(default_factory=dict)
    startup_timeout_s: float = 20.0


class LocalMarket:
    """Starts and stops the server; its port is known before it runs."""

    def __init__(self, settings: MarketSettings) -> None:
        self._settings = settings
        self._served = ServedChild(self._launch)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process while it runs."""
        return self._served.pids

    def url_for(self, client: str) -> str:
        """The base address of Tiingo and Yahoo for one client; its faults do not depend on what others ask."""
        return f"{self._served.url}/as/{client}"

    async def asked(self, client: str) -> tuple[str, ...]:
        """The latest requests of one client, path and query, oldest first; raises OSError where it does not run."""
        return await asyncio.to_thread(_asked, f"{self.url_for(client)}/asked")

    async def start(self) -> None:
        """Returns once it answers; raises SystemUnavailable."""
        await self._served.start()

    async def stop(self) -> None:
        """Ends it; safe to call twice."""
        await self._served.stop()

    def _launch(self, port: int) -> Launch:
        settings = self._settings
        argv = [sys.executable, "-m", "legacy_adapter.market", "--port", str(port)]
        if settings.seed is not None:
            argv += ["--seed", str(settings.seed)]
        if settings.last_day is not None:
            argv += ["--last-day", settings.last_day.isoformat()]
        if settings.synthetic:
            argv += ["--synthetic", str(settings.synthetic)]
        for name, value in settings.faults.items():
            argv += [f"--{name.replace('_', '-')}", str(value)]
        return Launch(
            name="the market",
            argv=argv,
            cwd=_PROJECT_ROOT,
            environment={"TZ": "UTC", "OPENBLAS_NUM_THREADS": "1"},
            log_path=settings.log_path,
            startup_timeout_s=settings.startup_timeout_s,
        )


def _asked(url: str) -> tuple[str, ...]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server's address
        return tuple(json.load(answer)["asked"])
