"""A database that is not the one its system writes to is pointed at."""

from dataclasses import replace

import pytest
from msgspec import structs

from harness.domain.quiet_side import WriteCount
from harness.domain.record import RowChange, StepRecord
from tests.builders.stored_records import session_record, step

CHANGE = (RowChange(table="things", key=(1,), before=None, after=(1,)),)


def written(*, legacy: bool, target: bool) -> StepRecord:
    """A step after which a row is new on the sides that are named."""
    changes = {"legacy_changes": CHANGE if legacy else (), "target_changes": CHANGE if target else ()}
    return structs.replace(step(1), **changes)


def sentence(*steps: StepRecord) -> str:
    """What is said of one session of these steps."""
    count = WriteCount()
    count.add(replace(session_record(), steps=steps))
    return count.sentence


@pytest.mark.parametrize(("legacy", "quiet"), [(False, "legacy"), (True, "target")])
def test_a_side_that_never_writes_while_the_other_does_is_named(legacy: bool, quiet: str) -> None:
    said = sentence(*[written(legacy=legacy, target=not legacy)] * 2)
    assert f"no request changed a row of the {quiet}'s database, and 2 changed" in said


def test_nothing_is_said_where_both_write_or_hardly_anything_is_written() -> None:
    one_sided = written(legacy=True, target=False)
    assert sentence(one_sided) == ""
    assert sentence(one_sided, one_sided, written(legacy=False, target=True)) == ""
    assert sentence(step(1), step(2)) == ""
