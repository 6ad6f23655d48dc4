"""The shape of a high tight flag: a strong run, then a rest near its high. Described in docs/formulas.md."""

from dataclasses import dataclass

from target.quant.prices import Floats

RUN_DAYS = 25
FLAG_DAYS = 25
REST_DAYS = 10
LEAST_GAIN = 0.25
MOST_PULLBACK = 0.25
LEAST_RANGE = 0.03
"""Average daily range, as a ratio, from which a stock moves enough to be worth it."""

_FULL_GAIN, _LOOSE_REST = 1.0, 0.20
_POINTS = {"gain": 30.0, "rest": 20.0, "pullback": 15.0, "strength": 20.0, "range": 15.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """The shape of one ticker's last weeks, as ratios: the run, how far it fell back, how wide it rests.

    `is_quiet` says whether less is traded while it rests than before; None where volumes are not known.
    """

    gain: float
    pullback: float
    rest: float
    is_quiet: bool | None = None

    @property
    def is_high_and_tight(self) -> bool:
        """True where the contract's criteria hold: a gain of 25 %, no deeper a pullback, and less volume."""
        return self.gain >= LEAST_GAIN and self.pullback <= MOST_PULLBACK and self.is_quiet is not False


def measure_flag(prices: Floats, volumes: Floats) -> Flag:
    """Return the shape of the last 50 closes: the high of the last 25 against the low of the 25 before that high.

    `volumes` are as many of the last days' as are known.
    """
    top = len(prices) - FLAG_DAYS + int(prices[-FLAG_DAYS:].argmax())
    before = prices[max(0, top - RUN_DAYS) : top + 1]
    recent = prices[-REST_DAYS:]
    return Flag(
        gain=float(prices[top] / before.min() - 1),
        pullback=float(1 - prices[top:].min() / prices[top]),
        rest=float(recent.max() / recent.min() - 1),
        is_quiet=_is_quiet(volumes),
    )


def score_flag(flag: Flag, strength_rank: int, daily_range: float) -> float:
    """Return 0 to 100: each part of the figure earns its points in proportion, up to its own limit."""
    shares = {
        "gain": flag.gain / _FULL_GAIN,
        "rest": 1 - flag.rest / _LOOSE_REST,
        "pullback": 1 - flag.pullback / MOST_PULLBACK,
        "strength": strength_rank / 100,
        "range": daily_range / LEAST_RANGE,
    }
    return sum(points * min(max(shares[part], 0.0), 1.0) for part, points in _POINTS.items())


def _is_quiet(volumes: Floats) -> bool | None:
    if len(volumes) < RUN_DAYS + REST_DAYS:
        return None
    rest, before = volumes[-REST_DAYS:], volumes[-RUN_DAYS - REST_DAYS : -REST_DAYS]
    return bool(rest.mean() < before.mean())
