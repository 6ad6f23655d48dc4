"""The search for a serial order: laws, and agreement with trying every order."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.isolation.history import History, Op, Row
from harness.domain.isolation.judge import judge_history
from harness.domain.isolation.linearise import Answer, linearise
from harness.domain.isolation.model import KEY_MODEL, UNEXPLAINED, KeyState, explain_key
from tests.builders.histories import created, history, op, row

NAMES = ("create", "rename", "reprice", "seal", "reopen", "delete", "read")


def is_linearisable_by_trial(ops: Sequence[Op]) -> bool:
    """Every order of every choice of the optional ones."""
    optional = [each for each in ops if each.is_optional]
    needed = [each for each in ops if not each.is_optional]
    chosen = chain.from_iterable(combinations(optional, count) for count in range(len(optional) + 1))
    return any(_fits(order) for some in chosen for order in permutations([*needed, *some]))


def _fits(order: Sequence[Op]) -> bool:
    state: object = None
    for position, each in enumerate(order):
        if any(later.returned_ns < each.invoked_ns for later in order[position + 1 :]):
            return False
        state = explain_key(state, each)  # type: ignore[arg-type]
        if state is UNEXPLAINED:
            return False
    return True


def answered(state: KeyState, name: str, at: tuple[int, int], value: int) -> tuple[Op, KeyState]:
    """What the model answers in this state."""
    asked = op(name, at, value=value)
    for status in (asked.spec.succeeds, *asked.spec.refused.values()):
        after = explain_key(state, replace(asked, status=status, row=row(str(value)) if name == "create" else None))
        if after is not UNEXPLAINED:
            is_shown = status == asked.spec.succeeds and name != "delete"
            shown = after if is_shown and isinstance(after, Row) else None
            return replace(asked, status=status, row=shown), after  # type: ignore[return-value]
    raise AssertionError(name)


@st.composite
def serial_histories(draw: st.DrawFn, longest: int = 12) -> History:
    """Operations one after another, answered by the model."""
    ops, state = [], None
    for step in range(draw(st.integers(1, longest))):
        made, state = answered(state, draw(st.sampled_from(NAMES)), (10 * step, 10 * step + 5), step + 1)
        ops.append(made)
    return history(*ops)


@st.composite
def small_histories(draw: st.DrawFn) -> list[Op]:
    """A few operations with any overlap; some answers are changed, some have no outcome."""
    ops = list(draw(serial_histories(5)).ops)
    for position, each in enumerate(ops):
        begun, long = draw(st.integers(0, 12)), draw(st.integers(0, 12))
        status = draw(st.sampled_from([each.status, each.status, each.spec.succeeds, *each.spec.refused.values()]))
        is_shown = status == each.spec.succeeds and each.kind != "delete"
        shown = each.row or draw(st.sampled_from([row("1"), row("2"), row("2", 2.0), row("1", 2.0, "sealed")]))
        made = replace(each, invoked_ns=begun, returned_ns=begun + long, status=status, row=shown if is_shown else None)
        # Only what may have written is ever taken to have happened or not.
        ops[position] = replace(made, is_optional=made.may_write and draw(st.integers(0, 3)) == 0)
    return ops


@given(serial_histories())
def test_a_serial_history_is_linearisable(serial: History) -> None:
    assert judge_history(serial).findings == ()


@given(serial_histories(), st.lists(st.integers(0, 60), min_size=12, max_size=12), st.randoms())
def test_longer_intervals_and_another_order_of_recording_change_nothing(
    serial: History, longer: list[int], chooser: object
) -> None:
    stretched = [
        replace(each, invoked_ns=each.invoked_ns - more, returned_ns=each.returned_ns + more)
        for each, more in zip(serial.ops, longer, strict=False)
    ]
    chooser.shuffle(stretched)  # type: ignore[attr-defined]
    assert judge_history(replace(serial, ops=tuple(stretched))).findings == ()


@given(serial_histories(), st.data())
def test_a_wrong_read_between_serial_operations_is_found(serial: History, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(serial.ops) - 1))
    at = serial.ops[position].returned_ns
    wrong = op("read", (at + 1, at + 2), answer=row("never written"))
    found = judge_history(replace(serial, ops=(*serial.ops, replace(wrong, index=99)))).findings
    assert len(found) == 1
    assert 99 in {each.index for each in found[0].core}


@settings(max_examples=150)
@given(small_histories())
def test_the_search_agrees_with_trying_every_order(ops: list[Op]) -> None:
    found = linearise(ops, KEY_MODEL).answer
    assert (found is Answer.LINEARISABLE) == is_linearisable_by_trial(ops)


def test_an_operation_without_outcome_may_take_effect_later_or_never() -> None:
    lost = op("rename", (2, 3), value=7, status=None)
    for label in ("1", "7"):
        late = op("read", (90, 91), answer=row(label))
        assert judge_history(history(created(), lost, late)).findings == ()
    back = op("read", (95, 96), answer=row("1"))
    assert judge_history(history(created(), lost, op("read", (90, 91), answer=row("7")), back)).findings


def test_a_write_that_changes_nothing_at_first_may_be_needed_later() -> None:
    sealed = op("seal", (10, 30), value=5, answer=row("1", 5.0, "sealed"))
    reopened = op("reopen", (12, 40), answer=row("1", 5.0))
    twice = op("reopen", (11, 39))
    late = op("read", (50, 51), answer=row("1", 5.0))
    assert judge_history(history(created(), sealed, reopened, twice, late)).findings == ()
    assert judge_history(history(created(), sealed, twice, late)).findings == ()


def test_a_search_that_is_too_long_is_undecided() -> None:
    writes = [op("rename", (2, 50), value=value) for value in range(2, 12)]
    impossible = op("read", (60, 61), status=404)
    search = linearise([created(), *writes, impossible], KEY_MODEL, budget=100)
    assert (search.answer, search.configurations) == (Answer.UNDECIDED, 100)


def test_a_value_that_cannot_come_back_ends_the_search_at_once() -> None:
    writes = [op("rename", (2, 50), value=value) for value in range(2, 12)]
    impossible = op("read", (60, 61), answer=row("never written"))
    search = linearise([created(), *writes, impossible], KEY_MODEL, budget=100)
    assert search.answer is Answer.NOT_LINEARISABLE
    assert search.configurations < 5
