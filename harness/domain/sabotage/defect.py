"""A planted defect, and the edits that plant one in what was recorded of the target."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from harness.domain.compare.document import parse_json, to_text
from harness.domain.compare.pointer import Path, to_pointer, value_at
from harness.domain.difference import Comparison, Difference, DifferenceKind, Facet
from harness.domain.exchange import Response
from harness.domain.normalise import normalise_pointer, normalise_row_pointer
from harness.domain.record import SessionRecord, StepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A record with one defect, and where it must be found."""

    record: SessionRecord
    step: int
    """Position of the step that must show it."""
    facet: Facet
    pointer: str
    kinds: frozenset[DifferenceKind]
    is_in_repeat: bool = False
    """Whether it is in the second pass alone."""

    @property
    def planted_step(self) -> StepRecord:
        """The step that holds the defect."""
        return (self.record.repeat if self.is_in_repeat else self.record.steps)[self.step]

    def is_found_in(self, comparisons: tuple[Comparison, ...]) -> bool:
        """Whether the step has a difference of the facet and kind at the pointer, indices and keys aside."""
        return bool(self.found_in(comparisons))

    def found_in(self, comparisons: tuple[Comparison, ...]) -> tuple[Difference, ...]:
        """The step's unexplained differences of the facet and kind at the pointer, indices and keys aside."""
        wanted = self._normalised(self.pointer)
        return tuple(
            found
            for found in comparisons[self.step].differences
            if found.facet is self.facet and found.kind in self.kinds and self._normalised(found.pointer) == wanted
        )

    def _normalised(self, pointer: str) -> str:
        if self.facet is Facet.HEADER:
            return pointer
        return normalise_row_pointer(pointer) if self.facet is Facet.ROW else normalise_pointer(pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A way to be wrong: `plant` gives None where the record offers no place for it."""

    name: str
    title: str
    facet: Facet
    plant: Callable[[SessionRecord], Planted | None]


def now_and_then(defect: Defect) -> Defect:
    """The defect in the second pass alone, as one that comes and goes."""

    def plant(record: SessionRecord) -> Planted | None:
        planted = defect.plant(record)
        if planted is None or planted.record.repeat == record.repeat:
            return None
        edited = replace(record, repeat=planted.record.repeat)
        return replace(planted, record=edited, is_in_repeat=True)

    name, title = f"{defect.name}-now-and-then", f"{defect.title}, in one answer of two"
    return Defect(name=name, title=title, facet=defect.facet, plant=plant)


def edit_response(
    record: SessionRecord, n: int, change: Callable[[Response], Response], *, repeat: bool = True
) -> SessionRecord:
    """Changes the target's answer to step n, in both passes unless `repeat=False`."""

    def edited(steps: tuple[StepRecord, ...]) -> tuple[StepRecord, ...]:
        response = steps[n].pair.target.response if n < len(steps) else None
        if response is None:
            return steps
        target = structs.replace(steps[n].pair.target, response=change(response))
        changed = structs.replace(steps[n], pair=structs.replace(steps[n].pair, target=target))
        return (*steps[:n], changed, *steps[n + 1 :])

    return replace(record, steps=edited(record.steps), repeat=edited(record.repeat) if repeat else record.repeat)


def edit_body(record: SessionRecord, n: int, change: Callable[[Any], Any]) -> SessionRecord:
    """Changes the parsed JSON of the target's answer to step n, in both passes."""

    def changed(response: Response) -> Response:
        document = parse_json(response.body)
        if document is None:
            return response
        return with_body(response, to_text(change(document.value)).encode())

    return edit_response(record, n, changed)


def with_body(response: Response, body: bytes) -> Response:
    """The response with another body and the length that goes with it."""
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value) for name, value in response.headers
    )
    return structs.replace(response, body=body, headers=headers)


def set_at(document: Any, path: Path, value: Any) -> Any:
    """A copy of the document with another value at the path; the same where the path leads nowhere."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(document, dict) and (step in document or not rest):
        return {**document, step: set_at(document.get(step), rest, value)}
    if isinstance(document, list) and isinstance(step, int) and step < len(document):
        return [*document[:step], set_at(document[step], rest, value), *document[step + 1 :]]
    return document


def json_steps(record: SessionRecord) -> Iterator[tuple[int, Any, Any]]:
    """Position, legacy and target document of every step that both sides answered in JSON."""
    for n, step in enumerate(record.steps):
        legacy, target = step.pair.legacy.response, step.pair.target.response
        if legacy is None or target is None or legacy.status != target.status:
            continue
        mine, theirs = parse_json(legacy.body), parse_json(target.body)
        if mine is not None and theirs is not None:
            yield n, mine.value, theirs.value


def walk(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value with its path, outermost first."""
    yield path, document
    if isinstance(document, dict):
        for name, member in document.items():
            yield from walk(member, (*path, name))
    elif isinstance(document, list):
        for index, element in enumerate(document):
            yield from walk(element, (*path, index))


def find_value(
    record: SessionRecord, wants: Callable[[str, Any], bool], *, is_stable: bool = True
) -> tuple[int, Path, Any] | None:
    """The first value in the target's answers that the test wants, by member name and value.

    With `is_stable` it is one that the legacy gives alike at the same place.
    """
    for n, legacy, target in json_steps(record):
        for path, value in walk(target):
            name = next((step for step in reversed(path) if isinstance(step, str)), "")
            is_alike = type(value_at(legacy, path)) is type(value) and value_at(legacy, path) == value
            if wants(name, value) and (is_alike or not is_stable):
                return n, path, value
    return None


def value_defect(
    name: str,
    title: str,
    wants: Callable[[str, Any], bool],
    change: Callable[[Any], Any],
    *kinds: DifferenceKind,
    is_stable: bool = True,
) -> Defect:
    """A defect that changes one value of an answer."""

    def plant(record: SessionRecord) -> Planted | None:
        found = find_value(record, wants, is_stable=is_stable)
        if found is None:
            return None
        n, path, _ = found
        edited = edit_body(record, n, lambda document: set_at(document, path, change(value_at(document, path))))
        return Planted(record=edited, step=n, facet=Facet.BODY, pointer=to_pointer(path), kinds=frozenset(kinds))

    return Defect(name=name, title=title, facet=Facet.BODY, plant=plant)
