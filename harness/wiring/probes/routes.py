"""P3.5: every operation that the legacy's own description lists reaches a function that knows it.

The gateway's route table says which function an operation belongs to; that this function answered, and not the one
behind `$default`, is told from its reports; that it knows the operation, from an answer other than the ones that it
gives to a path and to a method that nobody knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.adapters.http import HttpSide
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request, Side
from harness.domain.operation_samples import sample_requests
from harness.engine.replay_sides import fetch_description
from harness.staging.routes import DEFAULT_ROUTE, RouteTable
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_METHOD_NOT_ALLOWED = 405
_UNKNOWN_PATH = "/no-such-path-7f3a"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedRoute:
    """Where one operation went; `function` is empty where none was invoked."""

    operation: str
    route_key: str
    expected: str
    function: str
    status: int | None
    is_known: bool

    @property
    def is_reached(self) -> bool:
        """True where the route's own function answered and knows the operation."""
        return self.is_known and bool(self.function) and self.function == self.expected


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """One request for each operation, to the target alone; rows are as before afterwards."""
    legacy = HttpSide(Side.LEGACY, context.pair.legacy.url)
    target = HttpSide(Side.TARGET, context.pair.cloud.gateway_url)
    try:
        description = await fetch_description(legacy, legacy)
        if description is None:
            hint = "Let the legacy serve /openapi.json, or replay sessions of every router."
            raise SystemUnavailable("the legacy does not say which operations it has", hint=hint)
        async with context.restored_state():
            reached = await _reach_all(context, target, description)
    finally:
        await legacy.close()
        await target.close()
    path = context.write_evidence("routes", [asdict(found) for found in reached])
    functions = {route.function_key for route in context.pair.definition.routes}
    return evidence_for_all(criteria, checks=judge_routes(reached, functions), paths=[path], samples=len(reached))


def judge_routes(reached: Sequence[ReachedRoute], functions: set[str]) -> tuple[Check, ...]:
    """Passed if there were operations, each reached its function, and no function with a route is without one."""
    lost = [f"{found.operation} ({found.route_key}: {found.status})" for found in reached if not found.is_reached]
    idle = sorted(functions - {found.function for found in reached})
    return (
        Check(
            name="every operation reaches its function",
            passed=bool(reached) and not lost,
            detail="; ".join(lost) or f"{len(reached)} operations",
        ),
        Check(
            name="every function with a route answers an operation",
            passed=not idle,
            detail=", ".join(idle) or ", ".join(sorted(functions)),
        ),
    )


async def _reach_all(context: ProbeContext, target: HttpSide, description: Mapping[str, Any]) -> list[ReachedRoute]:
    nobody = await target.send(Request(method="GET", url=_UNKNOWN_PATH))
    table = RouteTable(context.pair.definition.routes)
    found = []
    for operation, request in sample_requests(description):
        match = table.find(request.method, request.url)
        before = _invocations(context)
        exchange = await target.send(request)
        after = _invocations(context)
        found.append(
            ReachedRoute(
                operation=operation,
                route_key=match.route_key if match else DEFAULT_ROUTE,
                expected=match.function_key if match else "",
                function=next((key for key, count in after.items() if count > before[key]), ""),
                status=exchange.response.status if exchange.response else None,
                is_known=_is_known(exchange, nobody),
            )
        )
    return found


def _invocations(context: ProbeContext) -> dict[str, int]:
    """Invocations so far, of those functions that the gateway reaches."""
    keys = {route.function_key: None for route in context.pair.definition.routes}
    return {key: len(context.pair.cloud.pool(key).reports) for key in keys}


def _is_known(exchange: Exchange, nobody: Exchange) -> bool:
    answer, unknown = exchange.response, nobody.response
    if answer is None or unknown is None or answer.status == _METHOD_NOT_ALLOWED:
        return False
    return (answer.status, answer.body) != (unknown.status, unknown.body)
