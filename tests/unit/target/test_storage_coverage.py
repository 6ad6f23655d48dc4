"""Which days have to be asked for, given what was asked before."""

from datetime import UTC, date, datetime, timedelta

import pytest

from target.storage.coverage import RECHECK_AFTER, Coverage, Days

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
FRIDAY = date(2026, 3, 13)


def covering(first: date, last: date) -> Coverage:
    return Coverage(first=first, last=last, asked_until=last, asked_at=NOW - timedelta(days=30))


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        (Days(date(2026, 1, 5), FRIDAY), ()),
        (Days(date(2026, 2, 2), date(2026, 2, 27)), ()),
        (Days(date(2026, 1, 5), TODAY), (Days(FRIDAY, TODAY),)),
        (Days(date(2025, 1, 1), FRIDAY), (Days(date(2025, 1, 1), date(2026, 1, 5)),)),
        (Days(date(2025, 1, 1), TODAY), (Days(date(2025, 1, 1), date(2026, 1, 5)), Days(FRIDAY, TODAY))),
        (Days(date(2024, 1, 1), date(2024, 2, 1)), (Days(date(2024, 1, 1), date(2026, 1, 5)),)),
    ],
    ids=["equal", "within", "later", "earlier", "both", "far before"],
)
def test_only_days_outside_are_missing_and_they_touch_what_is_covered(wanted: Days, missing: tuple[Days, ...]) -> None:
    assert covering(date(2026, 1, 5), FRIDAY).missing(wanted, NOW) == missing


def test_a_day_without_a_price_is_final_once_the_source_had_time_to_publish_it() -> None:
    asked = Days(date(2026, 3, 2), TODAY)
    assert Coverage.of_answer(asked, date(2026, 3, 4), NOW).last == TODAY - timedelta(days=3)


def test_a_running_day_is_never_final() -> None:
    assert Coverage.of_answer(Days(date(2026, 3, 2), TODAY), TODAY, NOW).last == TODAY - timedelta(days=1)


def test_nothing_is_final_of_a_first_question_about_today() -> None:
    covered = Coverage.of_answer(Days(TODAY, TODAY), TODAY, NOW)
    assert covered.last < covered.first
    assert covered.missing(Days(TODAY, TODAY), NOW + RECHECK_AFTER) == (Days(covered.last, TODAY),)


def test_an_open_day_is_asked_for_again_only_after_a_while() -> None:
    asked = Days(date(2026, 3, 2), TODAY)
    covered = Coverage.of_answer(asked, TODAY - timedelta(days=1), NOW)
    assert covered.missing(asked, NOW + RECHECK_AFTER - timedelta(seconds=1)) == ()
    assert covered.missing(asked, NOW + RECHECK_AFTER) == (Days(covered.last, TODAY),)


def test_a_later_day_than_was_asked_for_is_missing_at_once() -> None:
    asked = Days(date(2026, 3, 2), TODAY - timedelta(days=1))
    covered = Coverage.of_answer(asked, None, NOW)
    assert covered.missing(Days(date(2026, 3, 2), TODAY), NOW) != ()


def test_joined_coverages_cover_what_either_did() -> None:
    first, second = covering(date(2026, 1, 5), FRIDAY), covering(date(2025, 1, 1), date(2026, 1, 5))
    for joined in (first.joined(second), second.joined(first)):
        assert (joined.first, joined.last) == (date(2025, 1, 1), FRIDAY)
