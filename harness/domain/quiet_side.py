"""A database in which nothing changes while the other's rows do: perhaps not the one that its system writes to."""

from harness.domain.exchange import Side
from harness.domain.record import SessionRecord

_ENOUGH = 2
"""One such step may be a write that is lost; the comparison tells of that."""


class WriteCount:
    """Counts, session by session, the steps that changed rows on each side."""

    def __init__(self) -> None:
        self._steps = dict.fromkeys(Side, 0)

    def add(self, record: SessionRecord) -> None:
        """Takes a session in; one without rows counts for nothing."""
        for step in record.steps:
            self._steps[Side.LEGACY] += bool(step.legacy_changes)
            self._steps[Side.TARGET] += bool(step.target_changes)

    @property
    def sentence(self) -> str:
        """What a reader should look at; empty where both databases changed, or hardly anything did."""
        for quiet, other in ((Side.LEGACY, Side.TARGET), (Side.TARGET, Side.LEGACY)):
            if not self._steps[quiet] and self._steps[other] >= _ENOUGH:
                return (
                    f"no request changed a row of the {quiet}'s database, and {self._steps[other]} changed the"
                    f" {other}'s: is it the database that the running {quiet} uses?"
                )
        return ""
