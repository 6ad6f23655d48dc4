"""The scanner: unseeded randomness presented as data (LEGACY-PARITY: Q15), state in memory and one file."""

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from legacy_adapter.app.services.result_files import find_json
from legacy_adapter.app.services.universes import universe_tickers

_FOLDER = Path("dashboard")
_FILE = "scan_results.json"
_SAMPLE = 20
_UNIVERSES = {"sp500": ("SPX500",), "nasdaq100": ("NASDAQ100",), "asx200": ("ASX200",)}
_ALL = ("SPX500", "NASDAQ100", "ASX200")


class ScanRequest(BaseModel):
    """Body of a scan; nothing is bounded."""

    scanner_type: str = "quallamaggie"
    universe: str = "sp500"
    min_price: float = 5.0
    max_price: float = 500.0
    min_volume: int = 100000
    custom_tickers: list[str] | None = None


class _State:
    """What this process knows of its latest scan."""

    status = "idle"
    last_scan: str | None = None
    results: dict[str, Any] | None = None


_state = _State()


def scan_state() -> dict[str, Any]:
    """Status, whether there are results, when, and how many."""
    results = _state.results
    return {
        "status": _state.status,
        "has_results": results is not None,
        "last_scan": _state.last_scan,
        "results_count": len(results["stocks"]) if results else 0,
    }


def latest_scan() -> dict[str, Any] | None:
    """The file, whoever wrote it, or else memory."""
    stored: dict[str, Any] | None = find_json(str(_FOLDER / _FILE))
    return stored if stored is not None else _state.results


def mark_running() -> None:
    """From the request until the scan ends."""
    _state.status = "running"


async def run_scan(request: ScanRequest) -> None:
    """Runs on the event loop, after the answer."""
    try:
        results = _scan(request)
        _save(results)
        _state.results = results
        _state.last_scan = results["generated_at"]
        _state.status = "completed"
    except Exception as error:
        _state.status = f"failed: {error}"


def _scan(request: ScanRequest) -> dict[str, Any]:
    # LEGACY-PARITY: Q16, an empty custom list means the universe, an unknown universe means sp500.
    tickers = request.custom_tickers or _tickers_of(request.universe)
    sample = random.sample(tickers, min(_SAMPLE, len(tickers)))
    stocks = sorted((_draw(ticker, request) for ticker in sample), key=_score, reverse=True)
    return {
        "generated_at": datetime.now().isoformat(),
        "scanner_type": request.scanner_type,
        "universe": request.universe,
        "tickers_scanned": len(tickers),
        "results_found": len(stocks),
        "filters": {
            "min_price": request.min_price,
            "max_price": request.max_price,
            "min_volume": request.min_volume,
        },
        "stocks": stocks,
    }


def _save(results: dict[str, Any]) -> None:
    _FOLDER.mkdir(exist_ok=True)
    (_FOLDER / _FILE).write_text(json.dumps(results, indent=2), encoding="utf-8")


def _tickers_of(universe: str) -> list[str]:
    keys = _ALL if universe == "all" else _UNIVERSES.get(universe, _UNIVERSES["sp500"])
    return [ticker for key in keys for ticker in universe_tickers(key)]


def _score(stock: dict[str, Any]) -> float:
    score: float = stock["score"]
    return score


def _draw(ticker: str, request: ScanRequest) -> dict[str, Any]:
    score = random.uniform(0, 100)
    return {
        "ticker": ticker,
        "name": ticker,
        "price": round(random.uniform(request.min_price, request.max_price), 2),
        "change_pct": round(random.uniform(-5, 10), 2),
        "volume": random.randint(request.min_volume, request.min_volume * 10),
        "signal": "BUY" if score > 70 else "WATCH" if score > 40 else "HOLD",
        "score": round(score, 1),
        "details": {
            "adr_pct": round(random.uniform(2, 8), 1),
            "rs_rank": random.randint(1, 100),
            "pattern": "High Tight Flag" if score > 60 else "Consolidation",
        },
    }
