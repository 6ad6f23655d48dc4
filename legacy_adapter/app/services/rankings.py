"""Mock rankings from a random generator seeded with the universe's name (LEGACY-PARITY: Q15)."""

from typing import Any

from legacy_adapter.app.services.universes import universe_tickers

_SEEDS = 2**32


def rank_universe(universe: str) -> list[dict[str, Any]]:
    """All tickers of a universe by score, greatest first, with rounded figures.

    The seed is Python's string hash: equal between processes only where PYTHONHASHSEED is fixed. It reseeds numpy's
    global generator, as the original does.
    """
    import numpy as np  # noqa: PLC0415 - only here and in validation, so that the start stays quick

    tickers = universe_tickers(universe)
    count = len(tickers)
    np.random.seed(hash(universe) % _SEEDS)
    scores = np.random.randn(count) * 0.8
    r_squared = np.random.uniform(0.25, 0.75, count)
    beta_mkt = np.random.uniform(0.7, 1.5, count)
    beta_smb = np.random.uniform(-0.5, 0.5, count)
    beta_hml = np.random.uniform(-0.6, 0.4, count)
    residual_vol = np.random.uniform(0.10, 0.35, count) * 100
    order = sorted(range(count), key=lambda index: scores[index], reverse=True)
    return [
        {
            "rank": rank,
            "ticker": tickers[index],
            "score": round(float(scores[index]), 2),
            "r_squared": round(float(r_squared[index]), 2),
            "beta_mkt": round(float(beta_mkt[index]), 2),
            "beta_smb": round(float(beta_smb[index]), 2),
            "beta_hml": round(float(beta_hml[index]), 2),
            "residual_vol": round(float(residual_vol[index]), 1),
        }
        for rank, index in enumerate(order, start=1)
    ]
