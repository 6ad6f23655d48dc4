"""What each client of a history does: chosen by a seed, before anything is sent."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from harness.domain.isolation.scenario import IsolationScenario, Kind, OperationSpec

_VALUES_OF_A_HISTORY = 1_000
_KEPT_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a history is."""

    clients: int = 16
    keys: int = 3
    ops_per_client: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One operation of one client, on the row that carries `key` when it is sent; a list has no key but a page."""

    spec: OperationSpec
    key: str | None
    value: int
    page: int = 1
    page_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One history to be: its keys, which all are created first, and every client's operations in order."""

    group: str
    keys: tuple[str, ...]
    creates: tuple[Intent, ...]
    clients: tuple[tuple[Intent, ...], ...]
    last_value: int


def plan_history(scenario: IsolationScenario, size: Size, *, seed: int, number: int, run: str) -> Plan:
    """The plan of the history with this number; the same arguments give the same plan.

    A history does without some of the operations, and every other is about one key alone: what is rare among all
    meets often among few. `run` tells the keys of one run from those of another.
    """
    # It has to repeat, not to be unpredictable.
    chooser = random.Random(f"{seed}/{number}")  # noqa: S311
    group = f"{run}{number}".upper()
    keys = tuple(f"{group}-{position}" for position in range(size.keys))
    values = iter(range(number % 1_000_000 * _VALUES_OF_A_HISTORY + 2, 2**50))
    creates = tuple(Intent(spec=scenario.of_kind(Kind.CREATE)[0], key=key, value=next(values)) for key in keys)
    specs = _chosen(scenario.operation, chooser)
    busy = keys[:1] if number % 2 else keys
    clients = []
    for _ in range(size.clients):
        drawn = chooser.choices(specs, weights=[spec.weight for spec in specs], k=size.ops_per_client)
        clients.append(tuple(_intent(spec, chooser.choice(busy), next(values), chooser) for spec in drawn))
    return Plan(group=group, keys=keys, creates=creates, clients=tuple(clients), last_value=next(values))


def _chosen(specs: Sequence[OperationSpec], chooser: random.Random) -> list[OperationSpec]:
    kept = [spec for spec in specs if spec.weight > 0 and chooser.random() < _KEPT_SHARE]
    if any(spec.kind not in {Kind.READ, Kind.LIST} for spec in kept):
        return kept
    return [spec for spec in specs if spec.weight > 0]


def _intent(spec: OperationSpec, key: str, value: int, chooser: random.Random) -> Intent:
    if spec.page is None:
        return Intent(spec=spec, key=key, value=value)
    page, size = chooser.choice(spec.page.pages), chooser.choice(spec.page.sizes)
    return Intent(spec=spec, key=None, value=value, page=page, page_size=size)
