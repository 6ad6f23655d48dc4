"""Noisy values: what chance may do is no difference, what a defect does is one."""

import random
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Difference, Outcome
from tests.builders.records import START, answer, session, step

RULES = Rules(today=date(2026, 2, 4))
_LATER = timedelta(seconds=7)


def _judge(first: tuple[Any, Any], second: tuple[Any, Any]) -> Comparison:
    steps = [
        step(*(answer({"v": value}) for value in values), at=at)
        for values, at in ((first, START), (second, START + _LATER))
    ]
    return judge_session(session(steps[0], repeat=(steps[1],)), RULES)[0]


def _differences(first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Difference, ...]:
    return _judge(first, second).differences


def _uuid(chance: random.Random, version: int = 4) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=version))


def test_natural_noise_raises_no_alarm() -> None:
    chance = random.Random(1)
    makers = (
        chance.random,
        lambda: chance.randint(0, 1_000_000),
        lambda: chance.gauss(0, 1),
        lambda: _uuid(chance),
        lambda: f"{chance.getrandbits(128):032x}",
        lambda: [_uuid(chance) for _ in range(5)],
    )
    for make in makers:
        alarms = sum(_judge((make(), make()), (make(), make())).outcome is Outcome.DIFFERENT for _ in range(400))
        assert alarms <= 1, "one in 400 is what chance may do"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((12, 12_000), (15, 15_000), id="another unit of a counter"),
        pytest.param((7, -7), (9, -9), id="a counter that runs backwards"),
        pytest.param((0.301, -0.301), (0.302, -0.302), id="a sign lost"),
        pytest.param((0.3, 300.0), (0.9, 900.0), id="a ratio in thousandths"),
    ],
)
def test_a_noisy_number_is_checked(first: tuple[Any, Any], second: tuple[Any, Any]) -> None:
    assert _differences(first, second)


def test_a_uuid_of_another_version_is_a_difference() -> None:
    chance = random.Random(2)
    assert _differences((_uuid(chance), _uuid(chance, 1)), (_uuid(chance), _uuid(chance, 1)))
    assert not _differences((_uuid(chance), _uuid(chance)), (_uuid(chance), _uuid(chance)))


def test_parts_of_a_uuid_may_repeat_by_chance() -> None:
    mine = "2b1c7f0e-1111-4222-8aaa-000000000001", "f00dfeed-1111-4222-8aaa-00000000000f"
    theirs = "9d3e5a77-2222-4333-9bbb-00000000000a", "0badcafe-2222-4333-9bbb-0000000000ff"
    assert not _differences((mine[0], theirs[0]), (mine[1], theirs[1]))


@pytest.mark.parametrize("spell", [str, lambda value: value.replace("-", "")])
def test_one_token_in_place_of_two_is_a_difference(spell: Any) -> None:
    chance = random.Random(3)
    values = [spell(_uuid(chance)) for _ in range(12)]
    two, one = values[:2], [values[2]] * 2
    assert _differences((two, one), (values[3:5], [values[5]] * 2))
    assert _differences((one, two), ([values[5]] * 2, values[3:5]))
    assert not _differences((two, values[6:8]), (values[3:5], values[8:10]))
    assert not _differences((one, [values[6]] * 2), ([values[5]] * 2, [values[7]] * 2))


def _moment(seconds: float, zone: str = "", digits: int = 6) -> str:
    text = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[: 20 + digits]
    return f"{text}{zone}"


@pytest.mark.parametrize(("mine", "theirs"), [("Z", "+00:00"), ("+00:00", "Z"), ("+00:00", "+0000"), ("", "Z")])
def test_a_clock_s_zone_is_spelt_the_same_way(mine: str, theirs: str) -> None:
    assert not _differences(
        (_moment(0.05123, mine), _moment(0.0612, mine)), (_moment(7.051, mine), _moment(7.06, mine))
    )
    assert _differences((_moment(0.05, mine), _moment(0.06, theirs)), (_moment(7.05, mine), _moment(7.06, theirs)))


def test_a_clock_in_another_zone_is_a_difference_though_it_is_the_same_moment() -> None:
    there = [(START + timedelta(hours=10, seconds=s)).strftime("%Y-%m-%dT%H:%M:%S.%f+10:00") for s in (0.06, 7.06)]
    assert _differences((_moment(0.05, "+00:00"), there[0]), (_moment(7.05, "+00:00"), there[1]))


def test_summer_time_may_begin_between_the_two_sides() -> None:
    def sydney(seconds: float, hours: int) -> str:
        return (START + timedelta(hours=hours, seconds=seconds)).strftime(f"%Y-%m-%dT%H:%M:%S.%f+{hours}:00")

    assert not _differences((sydney(0.05, 10), sydney(0.06, 11)), (sydney(7.05, 11), sydney(7.06, 11)))


def test_milliseconds_printed_as_microseconds_are_a_difference() -> None:
    mine, theirs = (
        (_moment(0.050123), _moment(7.050321)),
        (f"{_moment(0.06, digits=3)}000", f"{_moment(7.062)[:23]}000"),
    )
    assert _differences((mine[0], theirs[0]), (mine[1], theirs[1]))
    assert _differences((theirs[0], mine[0]), (theirs[1], mine[1]))
