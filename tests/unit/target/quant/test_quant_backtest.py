"""Backtests against a second formulation with pandas, bit for bit, and the rules of the contract."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from target.quant.allocation import bounded, equal_weights, inverse_volatility
from target.quant.allocation_mode import AllocationMode
from target.quant.backtest import BacktestOutcome, BacktestPlan, run_backtest
from target.quant.performance import display_metrics, measure
from target.quant.prices import PriceTable
from target.quant.returns import MotionlessPrices, NoPrices
from target.quant.signals import hold_dual_momentum, hold_momentum
from target.quant.strategies import UnknownStrategy, reference_tickers
from tests.builders.price_tables import random_returns, random_walk, weekdays

TICKERS = ["SPY", "QQQ", "TLT", "GLD", "IEF", "EFA", "VNQ", "XLK", "DBC", "BND", "EEM", "USO"]


def frame_of(table: PriceTable) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(table.tickers, table.values.T, strict=True)), index=pd.DatetimeIndex(table.dates))


def legacy_backtest(table: PriceTable, held: Callable[[pd.DataFrame], list[str]], method: str) -> pd.DataFrame:
    """The contract's pipeline on data frames: weights in one column, with the portfolio's returns in `attrs`."""
    prices = frame_of(table)
    prices = prices.loc[:, prices.notna().mean() >= 0.7].dropna(how="all")
    returns = prices.pct_change(fill_method=None).dropna()
    columns = [ticker for ticker in returns if ticker in held(prices)] if method in ("HRP", "MVO") else list(returns)
    if len(columns) < 2:
        weights = pd.Series(1 / returns.shape[1], index=returns.columns)
    else:
        weights = 1 / (returns[columns].std() * np.sqrt(252))
        weights = weights / weights.sum()
    weights = weights.clip(0.02, 0.30)
    weights = weights / weights.sum()
    outcome = weights.to_frame("weight")
    outcome.attrs["daily"] = (returns[weights.index] * weights).sum(axis=1)
    return outcome


def dual_momentum(prices: pd.DataFrame) -> list[str]:
    gains = prices.pct_change(252, fill_method=None).iloc[-1].dropna()
    bonds = gains[gains.index.isin(["TLT", "IEF", "BND"])]
    others = gains.drop(bonds.index)
    if len(others) and others.max() > 0.04:
        return [others.idxmax()]
    return [bonds.idxmax()] if len(bonds) else []


HELD = {
    "HRP": list,
    "Dual_Momentum": dual_momentum,
    "Momentum_63D": lambda prices: list(
        prices.pct_change(63, fill_method=None).iloc[-1].pipe(lambda gains: gains[gains > 0]).nlargest(5).index
    ),
}


def run(name: str, table: PriceTable, **plan: object) -> BacktestOutcome:
    return run_backtest(BacktestPlan(strategy_name=name, **plan), table)


@pytest.mark.parametrize("method", ["HRP", "MVO", "InverseVol", "EqualWeight", "anything"])
@pytest.mark.parametrize("name", list(HELD))
@pytest.mark.parametrize(("days", "count", "missing"), [(300, 12, 0.02), (700, 3, 0.0), (90, 9, 0.01), (40, 2, 0.0)])
def test_bits_are_those_of_the_legacys_frames(name: str, method: str, days: int, count: int, missing: float):
    table = random_walk(days, TICKERS[:count], seed=days, missing=missing)
    outcome = run(name, table, optimization_method=method, initial_capital=12_345.67)
    expected = legacy_backtest(table, HELD[name], method)
    daily = expected.attrs["daily"]
    assert outcome.weights == expected["weight"].to_dict()
    assert list(outcome.weights) == list(expected.index)
    assert outcome.final_value == 12_345.67 * (1 + daily).cumprod().iloc[-1]


def test_metrics_are_those_of_the_contract():
    table = random_walk(260, TICKERS[:5])
    outcome = run("HRP", table)
    daily = legacy_backtest(table, HELD["HRP"], "HRP").attrs["daily"]
    equity = (1 + daily).cumprod()
    volatility, cagr = daily.std() * math.sqrt(252), equity.iloc[-1] ** (252 / len(daily)) - 1
    drawdown = (equity / equity.cummax() - 1).min()
    excess = daily.mean() * 252 - 0.04

    def recent(days: int) -> float:
        return (daily[-days:].mean() * 252 - 0.04) / (daily[-days:].std() * math.sqrt(252))

    assert outcome.metrics == {
        "Total Return": f"{equity.iloc[-1] - 1:.2%}",
        "CAGR": f"{cagr:.2%}",
        "Volatility": f"{volatility:.2%}",
        "Sharpe": f"{excess / volatility:.3f}",
        "Sortino": f"{excess / (daily[daily < 0].std() * math.sqrt(252)):.3f}",
        "Max Drawdown": f"{drawdown:.2%}",
        "Calmar": f"{cagr / abs(drawdown):.3f}",
        "Win Rate": f"{(daily > 0).mean():.1%}",
        "Rolling Sharpe (30D)": f"{recent(30):.3f}",
        "Rolling Sharpe (90D)": f"{recent(90):.3f}",
        "Rolling Vol (30D)": f"{daily[-30:].std() * math.sqrt(252):.2%}",
    }


def test_metrics_by_hand():
    shown = display_metrics(measure(np.array([0.10, -0.05, 0.02, -0.01])))
    assert shown["Total Return"] == "5.52%"  # 1.1 * 0.95 * 1.02 * 0.99 - 1
    assert shown["Max Drawdown"] == "-5.00%"
    assert shown["Win Rate"] == "50.0%"


def test_a_history_without_losses_has_no_sortino_and_no_calmar():
    shown = display_metrics(measure(np.array([0.01, 0.02, 0.01])))
    assert (shown["Sortino"], shown["Calmar"], shown["Max Drawdown"]) == ("nan", "nan", "0.00%")


def test_evidence_is_that_of_the_portfolios_returns():
    table = random_walk(400, TICKERS[:6])
    evidence = run("HRP", table).evidence
    daily = legacy_backtest(table, HELD["HRP"], "HRP").attrs["daily"]
    assert evidence.days == len(daily)
    assert evidence.daily_sharpe == pytest.approx(daily.mean() / daily.std())
    assert evidence.skewness == pytest.approx(stats.skew(daily))
    assert evidence.kurtosis == pytest.approx(stats.kurtosis(daily, fisher=False))
    assert f"{evidence.annual_sharpe:.3f}" == run("HRP", table).metrics["Sharpe"]


def test_dual_momentum_takes_the_best_bond_where_nothing_risky_beats_what_is_safe():
    falling = np.linspace(100, 80, 260)
    values = np.column_stack([falling, falling * 1.1, np.linspace(100, 101, 260), np.linspace(100, 103, 260)])
    held = hold_dual_momentum(PriceTable(weekdays(260), ("SPY", "QQQ", "TLT", "BND"), values))
    assert held.tolist() == [False, False, False, True]


def test_dual_momentum_without_a_year_of_prices_holds_nothing():
    assert not hold_dual_momentum(random_walk(252, TICKERS)).any()


def test_dual_momentum_holds_one_asset_so_that_everything_weighs_the_same():
    assert set(run("Dual_Momentum", random_walk(300, TICKERS[:4])).weights.values()) == {0.25}


def test_momentum_holds_at_most_five_and_nothing_that_fell():
    values = np.column_stack([np.linspace(100, 100 + rise, 30) for rise in (9, 8, 7, 6, 5, 4, -3, 0)])
    held = hold_momentum(PriceTable(weekdays(30), tuple("ABCDEFGH"), values), 21)
    assert held.tolist() == [True] * 5 + [False] * 3


@pytest.mark.parametrize("name", ["Stat_Arb", "Meta_Labeling", "Short_Vol", "Regime_Detection", "", "hrp"])
def test_a_name_without_a_function_fails_in_the_contracts_words(name: str):
    with pytest.raises(UnknownStrategy) as raised:
        run(name, random_walk(30, TICKERS[:2]))
    known = "['Momentum_21D', 'Momentum_63D', 'Momentum_126D', 'Dual_Momentum', 'HRP']"
    assert str(raised.value) == f"Unknown strategy: {name}. Available: {known}"
    assert reference_tickers(name) == ()


@pytest.mark.parametrize("name", ["Momentum", "InverseVolatility", "Residual_Momentum", "NCO", "OLMAR", "Quallamaggie"])
@pytest.mark.parametrize("method", ["HRP", "MVO", "EqualWeight", "zzz"])
def test_what_the_legacy_could_not_run_gives_weights_that_sum_to_one(name: str, method: str):
    table = random_walk(900, TICKERS, seed=7)
    plan = BacktestPlan(strategy_name=name, optimization_method=method)
    factors = random_walk(900, list(reference_tickers(name)), seed=8)
    outcome = run_backtest(plan, table, factors)
    assert sum(outcome.weights.values()) == pytest.approx(1)
    assert min(outcome.weights.values()) > 0
    assert outcome == run_backtest(plan, table, factors)


def test_the_exact_mode_weights_by_the_methods_name():
    table = random_walk(500, TICKERS[:6], seed=3)
    weights = {
        method: run("HRP", table, optimization_method=method, allocation_mode=AllocationMode.EXACT).weights
        for method in ("HRP", "MVO", "EqualWeight", "InverseVol")
    }
    assert list(weights["EqualWeight"].values()) == pytest.approx([1 / 6] * 6)
    assert weights["InverseVol"] == run("HRP", table).weights
    assert len({tuple(each.values()) for each in weights.values()}) == 4


def test_a_price_that_never_moves_is_named():
    table = random_walk(30, ["A", "B"])
    flat = PriceTable(table.dates, table.tickers, np.column_stack([table.values[:, 0], np.full(30, 7.0)]))
    for mode in AllocationMode:
        with pytest.raises(MotionlessPrices, match="price of B never moves"):
            run("HRP", flat, allocation_mode=mode)


prices = st.none() | st.floats(0.01, 1e6) | st.sampled_from([0.0, -1.0, math.inf, 1e-300, 1e300, 5e-324])


@given(
    st.integers(1, 3).flatmap(lambda m: st.lists(st.lists(prices, min_size=m, max_size=m), min_size=1, max_size=12)),
    st.sampled_from(["HRP", "Dual_Momentum", "Momentum", "InverseVolatility", "OLMAR", "NCO", "Quallamaggie"]),
    st.sampled_from(["HRP", "MVO", "EqualWeight", "zzz"]),
    st.sampled_from(AllocationMode),
)
@settings(max_examples=60)
def test_wrong_prices_give_a_reason_or_weights(
    rows: list[list[float | None]], name: str, method: str, mode: AllocationMode
):
    values = np.array(rows, dtype=np.float64)
    table = PriceTable(weekdays(len(rows)), ("A", "B", "C")[: values.shape[1]], values)
    try:
        outcome = run(name, table, optimization_method=method, allocation_mode=mode)
    except ValueError as error:
        assert str(error)
    else:
        assert sum(outcome.weights.values()) == pytest.approx(1)
        assert outcome.final_value >= 0


def test_without_prices_the_text_is_the_contracts():
    with pytest.raises(NoPrices, match=r"^Failed to fetch price data$"):
        run("HRP", PriceTable.empty())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60).filter(lambda weights: sum(weights) > 0))
def test_bounded_weights_sum_to_one_and_keep_their_order(weights: list[float]):
    kept = bounded(np.array(weights))
    assert kept.sum() == pytest.approx(1)
    assert (np.diff(kept[np.argsort(weights)]) >= -1e-15).all()
    assert kept.max() / kept.min() <= 15 * (1 + 1e-12)


@given(st.integers(2, 8), st.integers(1, 1_000), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_inverse_volatility_does_not_depend_on_the_order_of_assets(count: int, seed: int, random):
    returns = random_returns(60, count, seed=seed)
    order = list(range(count))
    random.shuffle(order)
    shuffled = type(returns)(
        returns.dates, tuple(returns.tickers[i] for i in order), np.ascontiguousarray(returns.by_ticker[order])
    )
    np.testing.assert_allclose(inverse_volatility(shuffled), inverse_volatility(returns)[order], rtol=1e-12)


def test_equal_weights_are_equal():
    assert equal_weights(4).tolist() == [0.25] * 4
