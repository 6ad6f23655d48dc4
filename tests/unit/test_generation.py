"""Generated sessions: what counts as the same, and the few that exercise what the many did."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from harness.domain.coverage import ParameterClass
from harness.domain.description import Place
from harness.domain.generation import CoverageItem, Items, Observed, minimise, one_of_each_shape, status_of
from tests.builders.observed import EXERCISE, observed

_REQUESTS = ("GET /things", "GET /things?page=2", "GET /things?page=", "GET /things/1", "GET /things/2", "POST /things")
_STEPS = st.builds("{} {}".format, st.sampled_from(_REQUESTS), st.sampled_from((200, 404, 422)))
_SESSIONS = st.lists(st.lists(_STEPS, min_size=1, max_size=4).map(lambda steps: observed(*steps)), max_size=12)


def exercised(sessions: tuple[Observed, ...] | list[Observed]) -> Items:
    return frozenset(item for each in sessions for item in EXERCISE.all(each))


@given(_SESSIONS)
def test_the_few_exercise_what_the_many_did_and_none_of_them_can_be_left_out(sessions: list[Observed]):
    few = minimise(sessions, EXERCISE)
    assert exercised(few) == exercised(sessions)
    for index in range(len(few)):
        assert exercised(few[:index] + few[index + 1 :]) < exercised(few)


@given(_SESSIONS)
def test_one_of_each_shape_loses_nothing_and_has_no_shape_twice(sessions: list[Observed]):
    found = one_of_each_shape(sessions, EXERCISE)
    shapes = [EXERCISE.shape(each) for each in found]
    assert len(set(shapes)) == len(shapes) == len({EXERCISE.shape(each) for each in sessions})


def test_what_is_exercised_is_operation_status_and_class_of_described_parameters():
    assert EXERCISE.all(observed("GET /things?page=3&other=1 200")) == {
        CoverageItem("GET /things", "200"),
        CoverageItem("GET /things", "200", Place.QUERY, "page", ParameterClass.PRESENT),
    }


def test_the_values_do_not_make_a_shape_but_status_order_and_class_do():
    same = [observed("GET /things/1 200"), observed("GET /things/22 200")]
    others = [
        observed("GET /things/1 404"), observed("GET /things?page= 200"), observed("GET /things?page=1 200"),
        observed("GET /things 200", "POST /things 201"), observed("POST /things 201", "GET /things 200"),
    ]  # fmt: skip
    assert one_of_each_shape([*reversed(same), *others], EXERCISE) == (same[0], *others)


def test_what_follows_the_last_needed_step_is_cut_off_with_what_only_it_used():
    first = observed("POST /things 201 saves a", "GET /things?page=1 200", "GET /things/{{a}} 200")
    second = observed("POST /things 201 saves b", "GET /things/{{b}} 200", "GET /things/0 404")
    few = minimise([first, second], EXERCISE)
    assert [[step.name for step in each.session.steps] for each in few] == [
        ["POST /things 201 saves a", "GET /things?page=1 200"],
        [step.name for step in second.session.steps],
    ]
    assert [each.session.steps[0].save for each in few] == [(), (("b", "/id"),)]


@pytest.mark.parametrize(
    "found",
    [observed("GET /things/7 200"), observed("GET /things 200 saves a", "GET /things/{{a}} 200")],
    ids=["by a number", "by a listing"],
)
def test_a_session_that_makes_what_it_needs_comes_before_a_shorter_one_that_found_it(found: Observed):
    made = observed("GET /things 200", "POST /things 201 saves a", "GET /things/{{a}} 200")
    assert EXERCISE.needs_state(found)
    assert not EXERCISE.needs_state(made)
    assert minimise([found, made], EXERCISE) == (made,)


def test_a_limit_keeps_what_adds_the_most():
    much = observed("GET /things?page=1 200", "POST /things 201", "GET /things/0 404")
    few = minimise([observed("GET /things 200"), much, observed("GET /things?page= 200")], EXERCISE, limit=1)
    assert few == (much,)


def test_a_session_that_the_sides_answer_differently_is_one_of_its_own():
    same, apart = observed("GET /things 200", target=True), observed("GET /things 200 500", target=True)
    assert [status_of(each.exchanges[0]) for each in (same, apart)] == ["200", "200 | 500"]
    assert [EXERCISE.disagrees(each) for each in (same, apart)] == [False, True]
    assert minimise([same, apart], EXERCISE) == (same, apart)


def test_a_request_that_could_not_be_made_exercises_nothing():
    whole = observed("GET /things 200")
    unsent = structs.replace(whole.exchanges[0][0], response=None, transport_error="not sent: nothing saved a")
    assert EXERCISE.all(replace(whole, exchanges=((unsent,),))) == frozenset()
