"""Whether a replay still exercises what was recorded: refusals that are equal are no difference, and show little."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.domain.record import SessionRecord
from harness.domain.session import Session


@dataclass(slots=True)
class Drift:
    """Counts requests that the legacy answers with another status than when they were recorded."""

    _recorded: dict[str, dict[int, int]] = field(default_factory=dict)
    """Statuses by step, of sessions that are under way."""
    _requests: int = 0
    _drifted: int = 0
    _first: str = ""

    def expect(self, session: Session) -> Session:
        """The session, whose recorded answers are remembered until it is given to `see`."""
        statuses = {step.n: step.recorded.status for step in session.steps if step.recorded and step.recorded.status}
        if statuses:
            self._recorded[session.id] = statuses
        return session

    def seen_by(self, on_record: Callable[[SessionRecord], None]) -> Callable[[SessionRecord], None]:
        """Hands records on, seen."""

        def see_and_hand_on(record: SessionRecord) -> None:
            self.see(record)
            on_record(record)

        return see_and_hand_on

    def see(self, record: SessionRecord) -> None:
        """Takes what was answered now."""
        recorded = self._recorded.pop(record.session_id, {})
        for step in record.steps:
            response, was = step.pair.legacy.response, recorded.get(step.pair.step)
            if was is None:
                continue
            self._requests += 1
            if response is None or response.status != was:
                now = "none" if response is None else response.status
                self._drifted += 1
                self._first = self._first or f"{record.session_id} step {step.pair.step}: {was} then, {now} now"

    @property
    def sentence(self) -> str:
        """What a reader should know of it; empty where there is nothing."""
        if not self._drifted:
            return ""
        return (
            f"{self._drifted:,} of {self._requests:,} recorded requests get another status of the legacy than when "
            f"they were recorded, first {self._first}; replay from the state that the recording began with"
        )
