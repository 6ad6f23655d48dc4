"""Gathers evidence probe by probe, and carries on where one of them cannot judge."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import HarnessError

Evidences = tuple[CriterionEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One way of gathering evidence: `gather` is given the criteria that name it, and answers for each of them."""

    name: str
    title: str
    gather: Callable[[Sequence[Criterion]], Awaitable[Evidences]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What came of the probes: evidence by criterion, and the probes that broke, by criterion."""

    evidence: Mapping[str, CriterionEvidence] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How the pipeline remembers, for a resumed run, and tells how it goes."""

    recall: Callable[[str], Evidences | None] = lambda _: None
    remember: Callable[[str, Evidences], None] = lambda _name, _evidence: None
    on_start: Callable[[Probe], None] = lambda _: None
    on_end: Callable[[Probe, float], None] = lambda _probe, _seconds: None


async def gather_evidence(probes: Iterable[Probe], criteria: Iterable[Criterion], hooks: Hooks) -> Gathered:
    """Runs each probe that some criterion names, once, in order.

    A probe that cannot judge (HarnessError) leaves an unanswered check; one that breaks is an error. Neither keeps
    the others from running, and only an answer is remembered.
    """
    wanted = list(criteria)
    evidence: dict[str, CriterionEvidence] = {}
    errors: dict[str, str] = {}
    for probe in probes:
        served = [criterion for criterion in wanted if criterion.probe == probe.name]
        if not served:
            continue
        try:
            found = await _gather_one(probe, served, hooks)
        except HarnessError as error:
            found = tuple(_unanswered(criterion, probe, error) for criterion in served)
        except Exception as error:  # noqa: BLE001 - one broken probe must not take the others' evidence with it
            errors |= {criterion.id: f"{probe.name}: {type(error).__name__}: {error}" for criterion in served}
            continue
        evidence |= {item.criterion_id: item for item in found}
    return Gathered(evidence=evidence, errors=errors)


async def _gather_one(probe: Probe, served: Sequence[Criterion], hooks: Hooks) -> Evidences:
    recalled = hooks.recall(probe.name)
    if recalled is not None:
        return recalled
    hooks.on_start(probe)
    started = time.perf_counter()
    found = await probe.gather(served)
    hooks.remember(probe.name, found)
    hooks.on_end(probe, time.perf_counter() - started)
    return found


def _unanswered(criterion: Criterion, probe: Probe, error: HarnessError) -> CriterionEvidence:
    check = Check(name=probe.title, passed=None, detail=str(error))
    return CriterionEvidence(criterion_id=criterion.id, checks=(check,), samples=1)
