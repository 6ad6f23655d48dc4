"""Generated sessions, and the few of them that exercise all that the many did.

What a session exercises is told as in `coverage.json`: for each operation the statuses that it was answered with, and
under each status the classes in which requests had the described parameters.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from harness.domain.coverage import ParameterClass, had_parameters
from harness.domain.description import DescribedOperation, Place
from harness.domain.exchange import NOT_SENT, Exchange
from harness.domain.operation import OperationTemplates
from harness.domain.session import SAFE_METHODS, Session, Step
from harness.domain.substitution import placeholders, step_placeholders

_NO_ANSWER = "none"
_SEPARATOR = " | "
_BAD_REQUEST = 400


class CoverageItem(NamedTuple):
    """One thing to exercise: an operation with a status, or that with one parameter in one class."""

    operation: str
    status: str
    """As answered; `200 | 500` where the sides disagree, in the order legacy, target."""
    place: Place | None = None
    name: str = ""
    found: ParameterClass | None = None


Items = frozenset[CoverageItem]
Shape = tuple[tuple[str, str, Items], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A session that was run: for each step the exchanges, one for every side that was asked, the legacy's first."""

    session: Session
    exchanges: tuple[tuple[Exchange, ...], ...]

    def cut(self, length: int) -> "Observed":
        """The session without what follows its first `length` steps."""
        steps = self.session.steps[:length]
        return replace(self, session=replace(self.session, steps=steps), exchanges=self.exchanges[:length])


class Exercise:
    """Tells what sessions exercise of a system, given what its OpenAPI document describes."""

    def __init__(self, described: Mapping[str, DescribedOperation], templates: OperationTemplates) -> None:
        self._described = described
        self._templates = templates

    def steps(self, observed: Observed) -> tuple[Items, ...]:
        """What each step exercises; nothing where it could not be sent."""
        return tuple(frozenset(self._items(exchanges)) for exchanges in observed.exchanges)

    def all(self, observed: Observed) -> Items:
        """What the whole session exercises."""
        return frozenset(chain.from_iterable(self.steps(observed)))

    def shape(self, observed: Observed) -> Shape:
        """Equal for sessions that do the same: operations, statuses and classes of parameters, step by step."""
        return tuple(
            (self.operation(exchanges), status_of(exchanges), items)
            for exchanges, items in zip(observed.exchanges, self.steps(observed), strict=True)
        )

    def needs_state(self, observed: Observed) -> bool:
        """Whether it takes an id that a reading answered, or names one by itself that was found: it did not make it."""
        steps = zip(observed.session.steps, observed.exchanges, strict=True)
        return any(
            (step.save and step.method in SAFE_METHODS) or self._names_something_found(step, exchanges)
            for step, exchanges in steps
        )

    def _names_something_found(self, step: Step, exchanges: Sequence[Exchange]) -> bool:
        is_found = any(each.response is not None and each.response.status < _BAD_REQUEST for each in exchanges)
        return is_found and "{" in self.operation(exchanges) and not placeholders(step.url.partition("?")[0])

    def disagrees(self, observed: Observed) -> bool:
        """Whether the sides gave different statuses to any step."""
        return any(_SEPARATOR in status_of(exchanges) for exchanges in observed.exchanges)

    def _items(self, exchanges: Sequence[Exchange]) -> Iterator[CoverageItem]:
        if any((each.transport_error or "").startswith(NOT_SENT) for each in exchanges):
            return
        operation, status = self.operation(exchanges), status_of(exchanges)
        yield CoverageItem(operation, status)
        described = self._described.get(operation)
        known = () if described is None else described.parameters
        for parameter, found in had_parameters(exchanges[0], known):
            # Names that nobody described are without number: an exhausted list of them would never end.
            if parameter in known:
                yield CoverageItem(operation, status, parameter.place, parameter.name, found)

    def operation(self, exchanges: Sequence[Exchange]) -> str:
        request = exchanges[0].request
        return self._templates.operation(request.method, request.url)


def status_of(exchanges: Sequence[Exchange]) -> str:
    """The status that all sides gave, or each side's where they disagree."""
    statuses = [_NO_ANSWER if each.response is None else str(each.response.status) for each in exchanges]
    return statuses[0] if len(set(statuses)) == 1 else _SEPARATOR.join(statuses)


def one_of_each_shape(sessions: Iterable[Observed], exercise: Exercise) -> tuple[Observed, ...]:
    """The smallest session of every shape, in the order in which the shapes appeared."""
    found: dict[Shape, Observed] = {}
    for each in sessions:
        shape = exercise.shape(each)
        known = found.get(shape)
        if known is None or _size(each) < _size(known):
            found[shape] = each
    return tuple(found.values())


def minimise(sessions: Sequence[Observed], exercise: Exercise, limit: int | None = None) -> tuple[Observed, ...]:
    """The fewest sessions, greedily, that exercise what all do; at most `limit`, those that add the most first.

    Sessions that make what they need come before those that found it there: only what the former cannot exercise is
    left to the latter, since another state may not have it. Guarantees, without a limit: the same items as before, and
    fewer if any one session is left out. What follows the last step that a session is needed for is cut off. In the
    order given.
    """
    items = [exercise.all(each) for each in sessions]
    chosen = _without_redundant(_cover(sessions, items, exercise, limit), items)
    return _trimmed([sessions[index] for index in sorted(chosen)], exercise)


def _cover(sessions: Sequence[Observed], items: Sequence[Items], exercise: Exercise, limit: int | None) -> list[int]:
    waiting: dict[bool, set[int]] = {True: set(), False: set()}
    for index, each in enumerate(sessions):
        waiting[exercise.needs_state(each)].add(index)
    chosen: list[int] = []
    covered: set[CoverageItem] = set()
    for group in (waiting[False], waiting[True]):
        missing = set(chain.from_iterable(items[index] for index in group)) - covered
        while missing and (limit is None or len(chosen) < limit):
            best = max(group, key=lambda index: (len(items[index] & missing), *_smallness(sessions[index]), -index))
            chosen.append(best)
            group.discard(best)
            missing -= items[best]
            covered |= items[best]
    return chosen


def _without_redundant(chosen: list[int], items: Sequence[Items]) -> list[int]:
    """What others make needless goes, the last chosen first: those that need state before the rest."""
    counts = Counter(chain.from_iterable(items[index] for index in chosen))
    kept = []
    for index in reversed(chosen):
        if all(counts[item] > 1 for item in items[index]):
            counts.subtract(items[index])
        else:
            kept.append(index)
    return kept


def _trimmed(sessions: list[Observed], exercise: Exercise) -> tuple[Observed, ...]:
    counts = Counter(item for each in sessions for items in exercise.steps(each) for item in items)
    trimmed = []
    for each in sessions:
        steps, length = exercise.steps(each), len(each.exchanges)
        while length > 1 and all(counts[item] > 1 for item in steps[length - 1]):
            length -= 1
            counts.subtract(steps[length])
        trimmed.append(replace(each.cut(length), session=_without_unused_saves(each.cut(length).session)))
    return tuple(trimmed)


def _without_unused_saves(session: Session) -> Session:
    used = {name for step in session.steps for name in step_placeholders(step)}
    return replace(session, steps=tuple(_saving_only(step, used) for step in session.steps))


def _saving_only(step: Step, used: set[str]) -> Step:
    kept = tuple(save for save in step.save if save[0] in used)
    return step if kept == step.save else replace(step, save=kept)


def _size(observed: Observed) -> tuple[int, int]:
    steps = observed.session.steps
    return len(steps), sum(len(step.url) + len(step.body or "") for step in steps)


def _smallness(observed: Observed) -> tuple[int, int]:
    steps, characters = _size(observed)
    return -steps, -characters
