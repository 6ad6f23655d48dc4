"""When each step ran on each side, and when two clock values can have been made by the same one."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from harness.domain.compare.clock import ClockValue, Window
from harness.domain.exchange import Exchange, Side

_SUB_SECOND = timedelta(seconds=1)

Origin = tuple[int, Hashable]
"""The step and place where a value was first seen."""


@dataclass(kw_only=True)
class Timeline:
    """One side's steps as windows, and the clock values seen so far."""

    exchanges: tuple[Exchange, ...]
    tolerance: timedelta
    """Between the two sides' clocks; every window is wider by it, before and after."""
    polled: frozenset[int] = frozenset()
    """Steps that waited for work in the background, which the step before each had started."""
    seen: dict[ClockValue, set[Origin]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[Window, ...]:
        """When each step ran; most sessions show no clock and never ask.

        What is done in the background may be done at any moment of the wait, so the window of a polled step begins
        with the step before it.
        """
        starts = [self.exchanges[n - 1 if n in self.polled and n else n].sent_at for n in range(len(self.exchanges))]
        return tuple(
            Window(start=start - self.tolerance, end=each.received_at + self.tolerance)
            for start, each in zip(starts, self.exchanges, strict=True)
        )

    def session(self, step: int) -> Window:
        """From the session's first request to the end of `step`."""
        return Window(start=self.steps[0].start, end=self.steps[step].end)

    def makers(self, value: ClockValue, step: int) -> set[int]:
        """The steps up to `step` during which the value can have been read."""
        return {n for n in range(step + 1) if value.may_lie_in(self.steps[n])}

    def origins(self, value: ClockValue, step: int) -> set[Origin]:
        """Where the same value was seen before `step`."""
        return {origin for origin in self.seen.get(value, ()) if origin[0] < step}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timelines:
    """Both sides' timelines of one session."""

    legacy: Timeline
    target: Timeline
    tokens: dict[Side, dict[str, str]] = field(default_factory=lambda: {Side.LEGACY: {}, Side.TARGET: {}})
    """Each side's unique tokens seen so far, with the other side's for the same thing."""

    def token_problem(self, legacy: str, target: str) -> str:
        """Why two unique tokens cannot name the same thing; empty where they can.

        What is one token on one side is one on the other, wherever it comes again, and two are two.
        """
        known = self.tokens[Side.LEGACY].setdefault(legacy, target), self.tokens[Side.TARGET].setdefault(target, legacy)
        if known == (target, legacy):
            return ""
        return "a token is given again on one side only"

    def clock_problem(self, legacy: ClockValue, target: ClockValue, step: int, place: Hashable) -> str:
        """Why the two clocks do not agree; empty where they do.

        They agree when the same step can have made both. A value between two steps (work in the background) must lie
        within the session. A value finer than a second that was seen before must come from the same place on both.
        """
        mine, theirs = self.legacy.makers(legacy, step), self.target.makers(target, step)
        problem = self._disagreement(legacy, target, step) if not mine & theirs else ""
        earlier = self.legacy.origins(legacy, step), self.target.origins(target, step)
        if not problem and min(legacy.granularity, target.granularity) < _SUB_SECOND and any(earlier):
            problem = "" if earlier[0] & earlier[1] else "a value given before is not repeated on both sides"
        self.legacy.seen.setdefault(legacy, set()).add((step, place))
        self.target.seen.setdefault(target, set()).add((step, place))
        return problem

    def _disagreement(self, legacy: ClockValue, target: ClockValue, step: int) -> str:
        for side, value, line in ((Side.LEGACY, legacy, self.legacy), (Side.TARGET, target, self.target)):
            if not value.may_lie_in(line.session(step)):
                return f"the {side} clock lies outside its session"
        if self.legacy.makers(legacy, step) and self.target.makers(target, step):
            return "the two clocks were not read in the same step"
        return ""
