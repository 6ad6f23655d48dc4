"""Whether planted defects are found in what was recorded of any two systems, under today's rules."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Facet
from harness.domain.record import SessionRecord
from harness.domain.sabotage.defect import Defect, Planted

_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""How a defect ends that is planted where its kind of value only seems to be."""


class Detection(StrEnum):
    """What became of a planted defect."""

    DETECTED = "detected"
    MISSED = "missed"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a defect was planted, and whether it was found exactly there."""

    session_id: str
    step: int
    name: str
    operation: str
    pointer: str
    is_found: bool
    found_as: str = ""
    """How it was found where that is of another kind, at another pointer, or in a later step that it leads to."""
    explained_by: str = ""
    """For a defect that is not found: what excuses the step (waivers, noise), where anything does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A defect planted in every session that offers it a place."""

    defect: str
    title: str
    facet: Facet
    places: tuple[Place, ...]

    @property
    def detection(self) -> Detection:
        """Detected only where it was found in every place."""
        if not self.places:
            return Detection.NOT_APPLICABLE
        return Detection.DETECTED if all(place.is_found for place in self.places) else Detection.MISSED

    @property
    def shown(self) -> Place | None:
        """The first place that missed it, else the first."""
        return next((place for place in self.places if not place.is_found), next(iter(self.places), None))


def try_defects(
    records: Sequence[SessionRecord],
    defects: Sequence[Defect],
    rules: Rules,
    on_session: Callable[[int], None] = lambda _: None,
) -> tuple[Trial, ...]:
    """Plants each defect in each session and judges it; a trial per defect, in their order.

    A defect counts as found only by a difference that the session does not show without it. The same records and
    rules give the same trials. `on_session` is told how many sessions are done.
    """
    places: dict[str, list[Place]] = {defect.name: [] for defect in defects}
    for done, record in enumerate(records, start=1):
        for name, place in _try_in(record, defects, rules):
            places[name].append(place)
        on_session(done)
    return tuple(
        Trial(defect=defect.name, title=defect.title, facet=defect.facet, places=tuple(places[defect.name]))
        for defect in defects
    )


def _try_in(record: SessionRecord, defects: Sequence[Defect], rules: Rules) -> Iterator[tuple[str, Place]]:
    before = judge_session(record, rules) if record.steps else ()
    for defect in defects:
        planted = _plant(defect, record)
        if planted is not None:
            yield defect.name, _judge(planted, before, rules)


def _plant(defect: Defect, record: SessionRecord) -> Planted | None:
    try:
        planted = defect.plant(record) if record.steps else None
    except _MISFITS:
        return None
    if planted is None or planted.record == record or _is_like_legacy(planted):
        return None
    return planted


def _is_like_legacy(planted: Planted) -> bool:
    """Whether the target now does what the legacy does, where it consciously did not: that is no defect."""
    pair = planted.planted_step.pair
    legacy, target = pair.legacy.response, pair.target.response
    if legacy is None or target is None:
        return legacy is None
    if planted.facet is Facet.STATUS:
        return legacy.status == target.status
    name = planted.pointer.partition("/")[0]
    return planted.facet is Facet.HEADER and legacy.header_values(name) == target.header_values(name)


def _judge(planted: Planted, before: Sequence[Comparison], rules: Rules) -> Place:
    after = judge_session(planted.record, rules)
    comparison = after[planted.step]
    found_as = _find(planted, before, after)
    return Place(
        session_id=comparison.session_id,
        step=comparison.step,
        name=comparison.name,
        operation=comparison.operation,
        pointer=planted.pointer,
        is_found=found_as is not None,
        found_as=found_as or "",
        explained_by=_explanation(comparison) if found_as is None else "",
    )


def _find(planted: Planted, before: Sequence[Comparison], after: tuple[Comparison, ...]) -> str | None:
    """Empty where it is found exactly, how it is found where that is near or in another step, None where it is not."""
    known = set(before[planted.step].differences)
    if any(difference not in known for difference in planted.found_in(after)):
        return ""
    new = (
        (then.step, difference)
        for now, then in sorted(zip(before, after, strict=True), key=lambda pair: pair[1] is not after[planted.step])
        for difference in then.differences
        if difference not in now.differences
    )
    return next((f"{found.facet} {found.kind} at step {step} {found.pointer}".rstrip() for step, found in new), None)


def _explanation(comparison: Comparison) -> str:
    said = [f"waiver {name}" for name in comparison.waivers]
    said += [word for word, found in (("noise", comparison.noisy), ("a cascade", comparison.cascaded)) if found]
    return ", ".join(said)
