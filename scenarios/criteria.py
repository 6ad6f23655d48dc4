"""Loads the plan that this migration is judged by."""

import tomllib
from pathlib import Path

import msgspec

from harness.domain.criterion import Criterion, Limit
from harness.domain.errors import ConfigurationError
from harness.domain.phase import BenchmarkRow, Phase, Plan

CRITERIA_FILE = Path(__file__).with_name("criteria.toml")
_ROUTER = "{router}"


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are errors: a misspelt one must not silently weaken a criterion."""


class _CriterionEntry(_Strict, frozen=True, kw_only=True):
    id: str
    title: str
    probe: str | dict[str, str] | None = None
    """By router where only some routers have one; those are then in the quick profile."""
    subject: str = ""
    in_quick: bool = False
    target: float | None = None
    unit: str = ""
    limit: Limit = Limit.AT_MOST
    measurement: str = ""
    seed_ref: str = ""
    needs_aws: bool = False


class _PhaseEntry(_Strict, frozen=True, kw_only=True):
    number: int
    title: str
    seed_ref: str = ""
    criterion: list[_CriterionEntry]


class _BenchmarkEntry(_Strict, frozen=True, kw_only=True):
    metric: str
    measurement: str
    criterion: str
    before: str
    target: str
    seed_ref: str = ""


class _PlanFile(_Strict, frozen=True, kw_only=True):
    routers: list[str] = []
    phase: list[_PhaseEntry]
    benchmark: list[_BenchmarkEntry] = []


def load_plan(path: Path = CRITERIA_FILE) -> Plan:
    """The phases with their criteria, in the order of the file.

    Raises:
        ConfigurationError: the file cannot be read, has an unknown key, or names a criterion twice or not at all.
    """
    try:
        content = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _PlanFile)
    except (OSError, ValueError) as error:
        hint = "Correct that key, or restore the file from version control."
        raise ConfigurationError(f"the criteria cannot be read: {error}", where=str(path), hint=hint) from error
    plan = Plan(
        phases=tuple(_phase(entry, content.routers) for entry in content.phase),
        benchmarks=tuple(_benchmark(entry) for entry in content.benchmark),
    )
    _require_unique(plan, path)
    return plan


def _phase(entry: _PhaseEntry, routers: list[str]) -> Phase:
    criteria = [c for written in entry.criterion for c in _criteria(written, entry.number, routers)]
    return Phase(number=entry.number, title=entry.title, seed_ref=entry.seed_ref, criteria=tuple(criteria))


def _criteria(entry: _CriterionEntry, phase: int, routers: list[str]) -> list[Criterion]:
    if _ROUTER not in entry.id:
        return [_criterion(entry, phase, "")]
    return [_criterion(entry, phase, router) for router in routers]


def _criterion(entry: _CriterionEntry, phase: int, router: str) -> Criterion:
    by_router = isinstance(entry.probe, dict)
    probe = entry.probe.get(router) if isinstance(entry.probe, dict) else entry.probe
    return Criterion(
        id=entry.id.replace(_ROUTER, router),
        phase=phase,
        title=entry.title.replace(_ROUTER, router),
        probe=probe,
        subject=router or entry.subject,
        in_quick=probe is not None if by_router else entry.in_quick,
        target=entry.target,
        unit=entry.unit,
        limit=entry.limit,
        measurement=entry.measurement,
        seed_ref=entry.seed_ref,
        needs_aws=entry.needs_aws,
    )


def _benchmark(entry: _BenchmarkEntry) -> BenchmarkRow:
    return BenchmarkRow(
        metric=entry.metric,
        measurement=entry.measurement,
        criterion_id=entry.criterion,
        before_stated=entry.before,
        target_stated=entry.target,
        seed_ref=entry.seed_ref,
    )


def _require_unique(plan: Plan, path: Path) -> None:
    ids = [criterion.id for criterion in plan.criteria]
    repeated = sorted({criterion_id for criterion_id in ids if ids.count(criterion_id) > 1})
    unknown = sorted({row.criterion_id for row in plan.benchmarks} - set(ids))
    if repeated or unknown:
        what = f"criteria named twice: {repeated}; benchmarks of unknown criteria: {unknown}"
        raise ConfigurationError(what, where=str(path), hint="Every criterion has an id of its own.")
