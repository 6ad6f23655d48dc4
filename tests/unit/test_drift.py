"""A replay says where the legacy no longer answers as it was recorded, since equal refusals are no difference."""

from dataclasses import replace

from harness.domain.drift import Drift
from harness.domain.record import SessionRecord
from harness.domain.session import RecordedResponse, Session, Step
from tests.builders.records import answer, session, step


def _step(n: int, status: int | None) -> Step:
    was = None if status is None else RecordedResponse(status=status, headers=(), body=None)
    return Step(n=n, name="", method="GET", url="/x", recorded=was)


def test_requests_with_another_status_than_recorded_are_counted_and_the_first_is_named() -> None:
    drift, seen = Drift(), list[SessionRecord]()
    drift.expect(Session(id="s", group="g", steps=(_step(1, 200), _step(2, 200), _step(3, 201), _step(4, None))))
    record = session(
        step(answer({}), answer({}), n=1),
        step(answer({}, status=404), answer({}), n=2),
        step("connection refused", answer({}), n=3),
        step(answer({}, status=500), answer({}), n=4),
    )
    drift.seen_by(seen.append)(record)
    assert seen == [record]
    assert drift.sentence.startswith("2 of 3 recorded requests get another status of the legacy than when")
    assert "first s step 2: 200 then, 404 now" in drift.sentence


def test_what_answers_as_it_did_or_was_never_recorded_needs_no_word() -> None:
    drift = Drift()
    drift.expect(Session(id="s", group="g", steps=(_step(1, 200), _step(2, 0))))
    drift.see(session(step(answer({}), answer({}, status=404), n=1)))
    drift.see(replace(session(step(answer({}, status=404), answer({}), n=1)), session_id="other"))
    assert drift.sentence == ""
