"""What fuzzing an API by its OpenAPI document finds, and what of it is known and accepted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec


class FuzzExclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers that a check may complain of, and the quirk that says why they stay.

    `operation`, `title` and `message` are shell patterns, over texts such as `GET /api/things/{id}` and over what the
    complaint says; without a `status` any may have been answered.
    """

    check: str
    operation: str
    quirk: str
    reason: str
    title: str = "*"
    message: str = "*"
    status: int | None = None

    def covers(self, found: "FuzzFailure") -> bool:
        """True if this failure is one that is accepted."""
        texts = ((self.operation, found.operation), (self.title, found.title), (self.message, found.message))
        return (
            self.check == found.check
            and self.status in {None, found.status}
            and all(fnmatchcase(text, pattern) for pattern, text in texts)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzFailure:
    """One check that one answer did not pass; `reproduction` is a command that sends the request again."""

    check: str
    operation: str
    title: str
    message: str
    reproduction: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzObservations:
    """What was sent and found, before anything is excluded. `problems` kept cases from being made or judged."""

    seed: int
    cases: int
    operations: int
    checks: int
    statuses: Counter[int]
    failures: tuple[FuzzFailure, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzFindings:
    """Observations judged; `excluded` counts what each exclusion covered, in the order given."""

    observations: FuzzObservations
    unexplained: tuple[FuzzFailure, ...]
    excluded: tuple[tuple[FuzzExclusion, int], ...]

    @property
    def server_errors(self) -> int:
        """Answers of 500 and above."""
        return sum(count for status, count in self.observations.statuses.items() if status >= 500)

    @property
    def passed(self) -> bool:
        """True if something was sent, all could be judged, and nothing is unexplained; a 5xx is never excused."""
        seen = self.observations
        return seen.cases > 0 and not seen.problems and not self.unexplained and not self.server_errors


def judge_fuzz(observations: FuzzObservations, exclusions: Sequence[FuzzExclusion]) -> FuzzFindings:
    """Sort the failures into accepted and unexplained; the first exclusion that covers a failure counts it."""
    hits: Counter[int] = Counter()
    unexplained = []
    for failure in observations.failures:
        index = next((index for index, each in enumerate(exclusions) if each.covers(failure)), None)
        if index is None:
            unexplained.append(failure)
        else:
            hits[index] += 1
    excluded = tuple((exclusion, hits[index]) for index, exclusion in enumerate(exclusions))
    return FuzzFindings(observations=observations, unexplained=tuple(unexplained), excluded=excluded)


def one_of_each(failures: Iterable[FuzzFailure]) -> list[tuple[FuzzFailure, int]]:
    """Return one failure for each check, operation and title, the shortest to reproduce, with how many there are."""
    groups: dict[tuple[str, str, str], list[FuzzFailure]] = {}
    for failure in failures:
        groups.setdefault((failure.check, failure.operation, failure.title), []).append(failure)
    return [(min(group, key=lambda found: len(found.reproduction)), len(group)) for group in groups.values()]
