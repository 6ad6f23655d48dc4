"""When schedules are due, and that each time invokes once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.cloud import ScheduleDefinition
from harness.domain.errors import ConfigurationError
from harness.staging.pool import InvocationAnswer, InvocationOutcome
from harness.staging.schedule import Scheduler, render_input
from harness.staging.schedule_expressions import parse_schedule
from tests.builders.clocks import SteppedClock

_BEGUN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)  # a Monday


def _times(expression: str, count: int, *, timezone: str = "UTC", after: datetime = _BEGUN) -> list[str]:
    schedule, found, moment = parse_schedule(expression, timezone=timezone, begun_at=_BEGUN), [], after
    for _ in range(count):
        due = schedule.next_after(moment)
        if due is None:
            break
        moment = due
        found.append(f"{due:%Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(5 minutes)", ["2026-01-05 12:05", "2026-01-05 12:10"]),
        ("rate(1 hour)", ["2026-01-05 13:00", "2026-01-05 14:00"]),
        ("rate(1 day)", ["2026-01-06 12:00", "2026-01-07 12:00"]),
        ("at(2026-01-05T12:30:00)", ["2026-01-05 12:30"]),
        ("at(2026-01-05T11:30:00)", []),
        ("cron(0 10 * * ? *)", ["2026-01-06 10:00", "2026-01-07 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-05 12:15", "2026-01-06 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-05 18:00", "2026-01-06 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-05 12:10", "2026-01-05 12:20"]),
        ("cron(0/5 8-17 ? * SUN *)", ["2026-01-11 08:00", "2026-01-11 08:05"]),
        ("cron(30 9 29 2 ? *)", ["2028-02-29 09:30", "2032-02-29 09:30"]),
        ("cron(0 0 ? JAN,MAR 1 2027)", ["2027-01-03 00:00", "2027-01-10 00:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
    ],
)
def test_the_documented_forms_are_due_when_they_say(expression: str, expected: list[str]) -> None:
    assert _times(expression, 2) == expected


def test_the_clock_on_the_wall_counts() -> None:
    before_dst = datetime(2026, 3, 7, 0, 0, tzinfo=UTC)
    # New York goes from UTC-5 to UTC-4 on 8 March 2026.
    assert _times("cron(30 16 * * ? *)", 2, timezone="America/New_York", after=before_dst) == [
        "2026-03-07 21:30",
        "2026-03-08 20:30",
    ]
    # 02:30 does not exist on that day: the clock goes from 01:59 to 03:00.
    skipped = _times("cron(30 2 * * ? *)", 2, timezone="America/New_York", after=before_dst)
    assert skipped == ["2026-03-07 07:30", "2026-03-09 06:30"]


@pytest.mark.parametrize(
    "expression",
    ["", "rate(0 minutes)", "rate(5 weeks)", "cron(* * * * * *)", "cron(0 10 * * ?)", "cron(60 * * * ? *)",
     "cron(0 10 L * ? *)", "cron(0 10 ? * 6#3 *)", "at(tomorrow)", "at(2026-02-30T00:00:00)", "every day"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_way_out(expression: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_schedule(expression, begun_at=_BEGUN)
    assert "rate(5 minutes)" in raised.value.hint


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Nowhere"):
        parse_schedule("rate(1 day)", timezone="Nowhere/Land", begun_at=_BEGUN)


@given(
    expression=st.sampled_from(["rate(7 minutes)", "cron(0/7 3-5 ? * TUE *)", "cron(1 1 31 * ? *)"]),
    moment=st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
)
def test_the_next_time_is_later_and_there_is_none_between(expression: str, moment: datetime) -> None:
    schedule = parse_schedule(expression, begun_at=_BEGUN)
    due = schedule.next_after(moment)
    assert due is not None
    assert due > moment
    between = moment + (due - moment) / 2
    assert schedule.next_after(between) == due
    assert schedule.next_after(due - timedelta(microseconds=1)) == due


class _Function:
    """Keeps its events; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.events: list[Mapping[str, object]] = []
        self.failures = failures

    async def invoke(self, function_key: str, event: Mapping[str, object], *, trace_id: str) -> InvocationAnswer:
        self.events.append(event)
        failed = len(self.events) <= self.failures
        outcome = InvocationOutcome.FUNCTION_ERROR if failed else InvocationOutcome.ANSWERED
        return InvocationAnswer(outcome=outcome, payload=b"null")


def _schedule(**changes: Any) -> ScheduleDefinition:
    values = {"name": "s", "expression": "rate(5 minutes)", "function_key": "f", "input": '{"do": "ingest"}'}
    return ScheduleDefinition(**(values | changes))


async def test_each_time_invokes_once_with_the_input() -> None:
    clock, function = SteppedClock(_BEGUN), _Function()
    scheduler = Scheduler(
        (_schedule(), _schedule(name="t", expression="rate(10 minutes)", input="{}")), function, clock=clock
    )
    await scheduler.start()
    await clock.advance(minutes=21)
    await scheduler.stop()
    assert sorted(map(json.dumps, function.events)) == sorted(4 * ['{"do": "ingest"}'] + 2 * ["{}"])
    await clock.advance(minutes=30)
    assert len(function.events) == 6, "a stopped scheduler invokes nothing"


async def test_a_failure_is_tried_again_as_often_as_the_schedule_says() -> None:
    for failures, retries, expected in ((1, 2, 2), (9, 2, 3), (9, 0, 1)):
        clock, function = SteppedClock(_BEGUN), _Function(failures)
        scheduler = Scheduler((_schedule(maximum_retries=retries),), function, clock=clock)
        await scheduler.start()
        await clock.advance(minutes=6)
        await scheduler.stop()
        assert len(function.events) == expected


def test_the_scheduled_time_reaches_the_function() -> None:
    event = render_input('{"at": "<aws.scheduler.scheduled-time>"}', _BEGUN)
    assert event == {"at": "2026-01-05T12:00:00Z"}
