"""P1.3: the target's session commits, rolls back, and survives a restart of the server; one connection a process.

Seen from outside, with the profile's writing operation: what a request leaves in the tables, how many connections the
functions hold, and what is answered once the server is back.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from harness.adapters.http import HttpSide
from harness.adapters.postgres import PostgresState
from harness.adapters.postgres_dsn import APPLICATION_NAME
from harness.domain.compare_rows import diff_states
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.domain.load_profile import LoadOperation
from harness.uninterrupted import run_together
from harness.wiring.measure import load_profile
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_BURST = 4
_RECOVERY_LIMIT_S = 15.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    status: int
    inserted: int
    changed: int


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Four checks on the running target; its rows are restored afterwards."""
    client = HttpSide(Side.TARGET, context.pair.cloud.gateway_url)
    try:
        async with context.restored_state():
            checks = [
                *await _check_transactions(context, client),
                await _check_pool(context, client),
                await _check_restart(context, client),
            ]
    finally:
        await client.close()
    path = context.write_evidence("session", [f"{check.name}: {check.passed} {check.detail}" for check in checks])
    return evidence_for_all(criteria, checks=checks, paths=[path])


async def _check_transactions(context: ProbeContext, client: HttpSide) -> list[Check]:
    request = _operation("POST").request(f"session-{time.time_ns()}")
    first = await _write(context, client, request)
    again = await _write(context, client, request)
    return [
        Check(
            name="an accepted write is committed",
            passed=first.status < 300 and first.inserted == 1,
            detail=f"status {first.status}, {first.inserted} rows inserted",
        ),
        Check(
            name="a refused write leaves nothing",
            passed=400 <= again.status < 500 and again.changed == 0,
            detail=f"status {again.status}, {again.changed} rows changed",
        ),
    ]


async def _check_pool(context: ProbeContext, client: HttpSide) -> Check:
    read = _operation("GET").request("pool")
    await run_together(*(client.send(read) for _ in range(_BURST)))
    environments = len(context.pair.cloud.pids)
    connection = await asyncpg.connect(context.pair.postgres.superuser_dsn)
    try:
        held = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND application_name <> $1",
            APPLICATION_NAME,
        )
    finally:
        await connection.close()
    detail = f"{held} connections of {environments} execution environments after {_BURST} requests at once"
    return Check(name="at most one connection an execution environment", passed=0 < held <= environments, detail=detail)


async def _check_restart(context: ProbeContext, client: HttpSide) -> Check:
    read = _operation("GET").request("restart")
    await context.pair.postgres.restart()
    started = time.monotonic()
    seen: list[int | str] = []
    while time.monotonic() - started < _RECOVERY_LIMIT_S:
        exchange = await client.send(read)
        status = exchange.response.status if exchange.response else 0
        seen.append(status or str(exchange.transport_error))
        if status == 200:
            break
        await asyncio.sleep(_POLL_S)
    recovered = seen[-1] == 200 and all(status in {200, 503} for status in seen)
    detail = f"after the restart: {', '.join(map(str, seen[-5:]))} ({time.monotonic() - started:.1f} s)"
    return Check(name="survives a restart of the server", passed=recovered, detail=detail)


async def _write(context: ProbeContext, client: HttpSide, request: Request) -> _Written:
    state = PostgresState(context.pair.target_dsn)
    try:
        before = await state.read()
        exchange = await client.send(request)
        changes = diff_states(before, await state.read())
    finally:
        await state.close()
    return _Written(
        status=exchange.response.status if exchange.response else 599,
        inserted=sum(change.before is None for change in changes),
        changed=len(changes),
    )


def _operation(method: str) -> LoadOperation:
    for operation in load_profile().operation:
        if operation.method == method:
            return operation
    hint = "Add one to scenarios/load/profile.toml."
    raise ConfigurationError(f"the load profile has no {method} operation", hint=hint)
