"""Rules of the target that the legacy lacks, and rules of the legacy, by operation: what to break of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any
from urllib.parse import urlencode

from tests.builders.served_legacy import TRADE

BEYOND = 2**63
INF, NAN = float("inf"), float("nan")
NUL = "a\x00b"
ABSENT = object()
PATH, QUERY, BODY, HEADERS = "path", "query", "body", "headers"


@dataclass(frozen=True)
class Fault:
    """A value that breaks a rule, and the place where it goes; ABSENT leaves the place empty."""

    part: str
    name: str
    value: Any

    @property
    def location(self) -> list[str]:
        return [self.part, self.name]


@dataclass(frozen=True)
class Call:
    """A request that both applications accept."""

    method: str
    url: str
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def breaking(self, *faults: Fault) -> "Call":
        broken = self
        for fault in faults:
            kept = {**getattr(broken, fault.part), fault.name: fault.value}
            broken = replace(broken, **{fault.part: {k: v for k, v in kept.items() if v is not ABSENT}})
        return broken

    @property
    def address(self) -> str:
        return f"{self.url.format(**self.path)}?{urlencode(self.query)}"


@dataclass(frozen=True)
class Rules:
    """An operation: what our rules alone refuse there, and what the legacy refuses."""

    call: Call
    ours: list[Fault]
    legacys: list[Fault]

    def pairs(self) -> Iterator[tuple[Fault, Fault]]:
        for own, other in product(self.ours, self.legacys):
            if own.location != other.location:
                yield own, other


def faults(part: str, **values: list[Any]) -> list[Fault]:
    return [Fault(part, name, value) for name, given in values.items() for value in given]


IDS = faults(PATH, trade_id=[BEYOND, -BEYOND - 1])
NO_ROWS = faults(PATH, trade_id=[99999, "x"])
RULES = {
    "create": Rules(
        Call("POST", "/api/trades/", body={**TRADE, "trade_id": "R-new"}),
        faults(
            BODY,
            ticker=[" ", "\u3000", "ß" * 11, NUL],
            quantity=[INF, "inf", 1e200],
            entry_price=[INF, 1e200],
            commission=[INF, 1e200],
            asset_name=[NUL],
            asset_class=[NUL],
            currency=["\x00"],
            strategy_name=[NUL],
            notes=[NUL, "\ud800"],
            trade_id=[NUL],
        ),
        faults(
            BODY,
            trade_id=["R-taken", "", 5],
            ticker=["", "X" * 21, 5],
            quantity=[-1, "many"],
            entry_price=[0, None],
            commission=[-1, None],
            direction=["HOLD"],
            currency=["AUDX", None],
            signal_score=[2],
            asset_name=["x" * 101],
            entry_date=["never", ABSENT],
        ),
    ),
    "change": Rules(
        Call("PATCH", "/api/trades/{trade_id}", path={"trade_id": 1}, body={"notes": "n"}),
        [*faults(BODY, status=[None], exit_price=[INF, "inf", 1e200], notes=[NUL, "\ud800"]), *IDS],
        [*faults(BODY, exit_price=[-1, "x"], status=["DONE"], exit_date=["never"], notes=[5]), *NO_ROWS],
    ),
    "close": Rules(
        Call("POST", "/api/trades/{trade_id}/close", path={"trade_id": 1}, query={"exit_price": 5}),
        [*faults(QUERY, exit_price=["inf", "1e200"]), *IDS],
        [
            *faults(QUERY, exit_price=[-1, "x", ABSENT], exit_date=["never"]),
            *faults(PATH, trade_id=[2]),  # it is closed
            *NO_ROWS,
        ],
    ),
    "list": Rules(
        Call("GET", "/api/trades/"),
        faults(QUERY, status=["foo", "open"], sort_by=["metadata"], page=[BEYOND]),
        faults(QUERY, page=[0, "x"], page_size=[0, 201], start_date=["x"], end_date=["x"], sort_desc=["maybe"]),
    ),
    "backtest": Rules(
        Call("POST", "/api/strategies/run", body={"strategy_name": "HRP"}),
        faults(
            BODY,
            initial_capital=[INF, NAN, "inf"],
            start_date=[NUL, "x" * 1001, "\ud800"],
            end_date=[NUL],
            optimization_method=[NUL],
            tickers=[[NUL], ["X" * 65]],
        ),
        faults(
            BODY, strategy_name=["Nope", "", 5, None], universe=[None], initial_capital=["x"], tickers=["SPY", ["A", 5]]
        ),
    ),
    "scan": Rules(
        Call("POST", "/api/scanner/run", body={}),
        faults(
            BODY,
            scanner_type=[NUL, "x" * 1001],
            universe=[NUL],
            min_price=[INF, NAN],
            max_price=[-INF],
            custom_tickers=[[NUL], ["X" * 65]],
        ),
        [
            *faults(BODY, min_volume=["many", 1.5], universe=[None], custom_tickers=["SPY"]),
            Fault(HEADERS, "Authorization", "Basic x"),
        ],
    ),
    "scan results": Rules(
        Call("GET", "/api/scanner/results"), faults(QUERY, min_score=["inf", "nan"]), faults(QUERY, limit=["x", ""])
    ),
    "ranking": Rules(
        Call("GET", "/api/quant2/residual-momentum/all", query={"universe": "ASX_ETFS"}),
        faults(QUERY, min_score=["inf", "nan"], max_score=["-inf"]),
        faults(QUERY, universe=["NOPE", ""], min_score=["x"], max_score=["x"]),
    ),
    "refresh": Rules(
        Call("POST", "/api/data/refresh", body={}),
        faults(BODY, tickers=[[NUL], ["X" * 65]]),
        faults(BODY, force=["maybe", None]),
    ),
    "deflated sharpe": Rules(
        Call("POST", "/api/validation/calculate-dsr", query={"sharpe_ratio": 1}),
        faults(QUERY, n_samples=[-1, 1_000_001], n_trials=[0, -1]),
        faults(QUERY, sharpe_ratio=["x", ABSENT], n_trials=["x"], n_samples=["1.5"], skewness=["x"], kurtosis=["x"]),
    ),
}
