"""The file of a migration's operations: what is wrong in it is said, and what it says is sent."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.domain.errors import ConfigurationError
from harness.domain.isolation.plan import Size, plan_history
from harness.domain.isolation.scenario import Kind, parse_scenario
from tests.builders.racy_things import SCENARIO, things_scenario

PROJECT = Path(__file__).parents[3]


def _set(position: int, name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["operation"][position].update({name: value})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw.update(format_version=2), "version 2 is not 1"),
        (lambda raw: raw.update(colour="red"), "unknown field"),
        (lambda raw: raw["operation"].pop(0), "exactly one operation of kind create"),
        (lambda raw: raw["operation"].pop(4), "without an operation of kind delete"),
        (_set(1, "name", "create"), "two operations have the same name"),
        (_set(1, "writes", {"colour": 1}), "'rename' names the fields colour"),
        (_set(1, "writes", {}), "'rename' must say what it writes"),
        (_set(1, "guard", {"state": "open"}), "'rename' has a guard that its kind never asks"),
        (_set(3, "guard", {}), "'seal' is a transition without a guard"),
        (_set(3, "refused", {"absent": 404}), "'seal' must say the statuses of exactly: absent, guard"),
        (_set(6, "page", None), "'list' has [operation.page] if and only if it is a list"),
        (_set(0, "body", "{}"), "'create' does not say {{key}}"),
        (_set(2, "url", "/things/{{ident}}"), "'reprice' does not say {{id}}"),
        (_set(6, "url", "/things?group={{group}}&first={{offset}}"), "'list' says offset, which nothing fills in"),
        (_set(0, "rows_answered", False), "'create' has to answer its row"),
        (_set(5, "refused", {"absent": 404, "conflict": 409}), "'read' must say the statuses of exactly: absent"),
        (_set(1, "kind", "upsert"), "Invalid enum value 'upsert'"),
    ],
)
def test_a_wrong_scenario_is_refused(damage: Callable[[dict[str, Any]], object], message: str) -> None:
    raw = copy.deepcopy(SCENARIO)
    damage(raw)
    with pytest.raises(ConfigurationError) as refused:
        parse_scenario(raw, where="here")
    assert message in refused.value.what
    assert (refused.value.where, bool(refused.value.hint)) == ("here", True)


def test_this_migrations_scenario_is_right_and_has_every_kind() -> None:
    path = PROJECT / "scenarios" / "isolation.toml"
    scenario = parse_scenario(tomllib.loads(path.read_text(encoding="utf-8")), where=str(path))
    assert {spec.kind for spec in scenario.operation} == set(Kind)
    close = next(spec for spec in scenario.operation if spec.name == "close")
    assert close.written(5) == {"status": "CLOSED", "exit_price": 5.0, "pnl": 4.0}
    assert close.request({"id": "9", "value": "5"}).url == "/api/trades/9/close?exit_price=5"
    assert close.request({"id": "a/b c", "value": "5"}).url == "/api/trades/a%2Fb%20c/close?exit_price=5"


def test_a_plan_repeats_by_its_seed_and_no_value_is_written_twice() -> None:
    scenario = things_scenario()
    plans = [plan_history(scenario, Size(), seed=3, number=number, run="R") for number in range(20)]
    assert plans[4] == plan_history(scenario, Size(), seed=3, number=4, run="R")
    assert plans[4].clients != plan_history(scenario, Size(), seed=4, number=4, run="R").clients
    values = [intent.value for plan in plans for turn in (plan.creates, *plan.clients) for intent in turn]
    assert len(set(values)) == len(values)
    assert {intent.spec.name for plan in plans for turn in plan.clients for intent in turn} == {
        spec.name for spec in scenario.operation
    }
