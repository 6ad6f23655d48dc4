"""P1.4: secrets are fetched once an environment, again after their time to live, never where variables serve, and a
refusal is answered clearly.

The fetches are counted by the authoriser, which sees every call that a function makes.
"""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import structs

from harness.adapters.http import HttpSide
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.domain.load_profile import LoadOperation
from harness.wiring.functions import local_cloud
from harness.wiring.measure import load_profile
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_FETCH = "secretsmanager:GetSecretValue"
_REQUESTS = 5
_UNKNOWN_KEY = "AKIANOBODYKNOWSTHIS0"


class _SecretCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The target's variables for each case (`scenarios/probes.toml`)."""

    without_secret: dict[str, str]
    short_lived: dict[str, str]
    time_to_live_s: float


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Four checks, each with functions of its own beside the running ones."""
    case = _load_cases()
    checks = (
        await _check_cached(context),
        await _check_time_to_live(context, case),
        await _check_variables(context, case),
        await _check_denied(context),
    )
    path = context.write_evidence("secrets", [f"{check.name}: {check.passed} {check.detail}" for check in checks])
    return evidence_for_all(criteria, checks=checks, paths=[path])


async def _check_cached(context: ProbeContext) -> Check:
    async with _functions(context, "cached", {}) as url:
        statuses = await _read(url, _REQUESTS)
        fetches = _fetches(context)
    return Check(
        name="one fetch an execution environment",
        passed=fetches == 1 and set(statuses) == {200},
        detail=f"{fetches} fetches for {_REQUESTS} requests to one environment, answered {statuses}",
    )


async def _check_time_to_live(context: ProbeContext, case: _SecretCases) -> Check:
    async with _functions(context, "ttl", case.short_lived) as url:
        statuses = await _write_unauthorised(url)
        await asyncio.sleep(case.time_to_live_s * 1.5)
        statuses += await _write_unauthorised(url)
        fetches = _fetches(context)
    return Check(
        name="fetched again after its time to live",
        passed=fetches == 2 and statuses == [401, 401],
        detail=f"{fetches} fetches for 2 requests, {case.time_to_live_s * 1.5:.1f} s apart, answered {statuses}",
    )


async def _check_variables(context: ProbeContext, case: _SecretCases) -> Check:
    variables = {name: text.format(dsn=context.pair.target_dsn) for name, text in case.without_secret.items()}
    async with _functions(context, "variables", variables) as url:
        statuses = await _read(url, 1)
        fetches = _fetches(context)
    return Check(
        name="variables serve where no secret is named",
        passed=statuses == [200] and fetches == 0,
        detail=f"answered {statuses} with {fetches} fetches",
    )


async def _check_denied(context: ProbeContext) -> Check:
    async with _functions(context, "denied", {"AWS_ACCESS_KEY_ID": _UNKNOWN_KEY}) as url:
        statuses = await _read(url, 1)
    return Check(
        name="a refused secret is a clear 503",
        passed=statuses == [503],
        detail=f"answered {statuses}",
    )


@asynccontextmanager
async def _functions(context: ProbeContext, name: str, variables: Mapping[str, str]) -> AsyncIterator[str]:
    """The address of functions started with these variables; the log of calls begins afresh."""
    pair = context.pair
    directory = context.temporary_directory(f"secrets-{name}")
    cloud = local_cloud(pair.definition, pair.artifacts, pair.authoriser, directory, variables)
    pair.authoriser.calls.clear()
    await cloud.start()
    try:
        yield cloud.gateway_url
    finally:
        await cloud.stop()


async def _read(url: str, count: int) -> list[int]:
    """Statuses of so many reads, one after another, so that one environment serves them all."""
    return await _send(url, [_operation("GET").request("secrets")] * count)


async def _write_unauthorised(url: str) -> list[int]:
    """The status of a write whose token is none: it has to be checked, and so needs the secret."""
    request = _operation("POST").request("secrets")
    forged = (*request.headers, ("authorization", "Bearer forged.token.here"))
    return await _send(url, [structs.replace(request, headers=forged)])


async def _send(url: str, requests: Sequence[Request]) -> list[int]:
    client = HttpSide(Side.TARGET, url)
    try:
        exchanges = [await client.send(request) for request in requests]
    finally:
        await client.close()
    return [exchange.response.status if exchange.response else 0 for exchange in exchanges]


def _operation(method: str) -> LoadOperation:
    return next(operation for operation in load_profile().operation if operation.method == method)


def _load_cases() -> _SecretCases:
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["secrets"], _SecretCases)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the secrets probe is not described: {error}", where=str(path)) from error


def _fetches(context: ProbeContext) -> int:
    return sum(call.action == _FETCH for call in context.pair.authoriser.calls)
