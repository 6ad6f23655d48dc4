"""The bulk load of this migration, on functions of its own beside the running ones, from a market with faults."""

import asyncio
import os
import signal
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec

from harness.adapters.loaded_table import LoadedTable
from harness.domain.errors import ConfigurationError
from harness.domain.mean import mean_bounds
from harness.domain.measurement import Measurement
from harness.engine.ingest import ExpectedLoad, IngestFindings, Invoked, Loaded, measure_ingest
from harness.settings import LocalMarketSettings
from harness.staging.pool import InvocationAnswer, InvocationOutcome
from harness.staging.stack import LocalCloud
from harness.wiring.functions import local_cloud
from harness.wiring.market import local_market, market_variables
from harness.wiring.pair import RunningPair
from harness.wiring.paths import scenarios_directory
from legacy_adapter.market.catalogue import Market
from legacy_adapter.market.daily_rows import daily_rows

INGEST_FILE = "ingest.jsonl"

_WRITES_WITHIN_S = 280.0
_GONE_WITHIN_S = 30.0
_CLIENT = "ingest"

Tell = Callable[[str], None]


class _Members(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table that says what belongs to the universe: one row a ticker, its other columns as in `values`."""

    table: str
    column: str
    values: dict[str, str]
    unlisted: list[str]


class _Failures(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table that the target records failed tickers in."""

    table: str
    column: str


class IngestPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is invoked, what it must lead to, and how the market behaves (`scenarios/probes.toml`)."""

    function: str
    event: str
    days: int
    table: str
    key: list[str]
    columns: list[str]
    variables: dict[str, str]
    members: _Members
    failures: _Failures
    market: LocalMarketSettings

    @property
    def last_on(self) -> date:
        """The last day of the market, and of what is loaded."""
        return date.fromisoformat(self.market.last_day or "")

    @property
    def first_on(self) -> date:
        """The first day that is loaded."""
        return self.last_on - timedelta(days=self.days)


def load_plan(synthetic: int | None = None) -> IngestPlan:
    """The plan of this migration; `synthetic` tickers instead of the plan's number.

    Raises:
        ConfigurationError: it is missing or wrong.
    """
    path = scenarios_directory() / "probes.toml"
    try:
        plan = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["ingest"], IngestPlan)
        assert plan.last_on, plan.first_on  # noqa: S101 - raises ValueError for what is no date
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the ingest probe is not described: {error}", where=str(path)) from error
    if synthetic is None:
        return plan
    return msgspec.structs.replace(plan, market=msgspec.structs.replace(plan.market, synthetic=synthetic))


async def run_ingest(pair: RunningPair, plan: IngestPlan, directory: Path, tell: Tell) -> IngestFindings:
    """Measures the load on the pair's database, which holds other rows afterwards.

    Raises:
        ConfigurationError: Terraform declares no such function.
        SystemUnavailable: a part does not start or answer.
    """
    if plan.function not in {function.key for function in pair.definition.functions}:
        raise ConfigurationError(f"there is no function {plan.function}", hint="Correct [ingest] in probes.toml.")
    tell("working out what the market has")
    market = _market_of(plan)
    expected = await asyncio.to_thread(_expected, plan, market)
    await _fill_members(pair.target_dsn, plan, market)
    async with _functions(pair, plan, directory) as cloud:
        system = _System(cloud, plan, pair.target_dsn, tell)
        await system.clear_failures()
        return await measure_ingest(system, expected)


def ingest_measurements(findings: IngestFindings, function: str) -> tuple[Measurement, ...]:
    """How long a load takes, as the mean of those that came to their end; none if none did."""
    if not findings.durations_s:
        return ()
    bounds = mean_bounds(findings.durations_s)
    return (
        Measurement(
            name="ingest.duration",
            subject=function,
            value=bounds.value,
            unit="s",
            samples=bounds.samples,
            lower=bounds.lower,
            upper=bounds.upper,
            note=f"{findings.rows:,} rows a load",
        ),
    )


@dataclass(frozen=True, slots=True)
class _System:
    """The function in the local cloud, and its tables."""

    cloud: LocalCloud
    plan: IngestPlan
    dsn: str
    tell: Tell

    async def invoke(self) -> Invoked:
        self.tell("loading")
        started = time.monotonic()
        answer = await self.cloud.invoke(self.plan.function, self._event())
        return _invoked(answer, time.monotonic() - started)

    async def invoke_and_kill(self) -> Invoked:
        self.tell("loading, to be killed while it writes")
        started = time.monotonic()
        table = self._table()
        async with table.held() as held:
            invocation = asyncio.create_task(self.cloud.invoke(self.plan.function, self._event()))
            try:
                backend = await held.wait_for_writer(timeout_s=_WRITES_WITHIN_S)
                for pid in self.cloud.pool(self.plan.function).pids:
                    os.kill(pid, signal.SIGKILL)
                answer = await invocation
            finally:
                invocation.cancel()
        await table.wait_until_gone(backend, timeout_s=_GONE_WITHIN_S)
        return _invoked(answer, time.monotonic() - started)

    async def read(self) -> Loaded:
        count = len(self.plan.key)
        rows = await self._table().read()
        keys = [tuple(str(value) for value in row[:count]) for row in rows]
        return Loaded(
            rows={key: row[count:-1] for key, row in zip(keys, rows, strict=True)},
            versions={key: str(row[-1]) for key, row in zip(keys, rows, strict=True)},
        )

    async def clear(self) -> None:
        await self._table().clear()

    async def read_failed(self) -> frozenset[str]:
        return frozenset(str(row[0]) for row in await self._failures().read())

    async def clear_failures(self) -> None:
        await self._failures().clear()

    def _table(self) -> LoadedTable:
        return LoadedTable(self.dsn, self.plan.table, [*self.plan.key, *self.plan.columns])

    def _failures(self) -> LoadedTable:
        return LoadedTable(self.dsn, self.plan.failures.table, [self.plan.failures.column])

    def _event(self) -> Mapping[str, object]:
        days = {"{first}": self.plan.first_on, "{last}": self.plan.last_on}
        text = self.plan.event
        for name, day in days.items():
            text = text.replace(name, day.isoformat())
        event: dict[str, object] = msgspec.json.decode(text, type=dict[str, object])
        return event


@asynccontextmanager
async def _functions(pair: RunningPair, plan: IngestPlan, directory: Path) -> AsyncIterator[LocalCloud]:
    market = local_market(plan.market, directory / "market.log")
    await market.start()
    try:
        variables = {**plan.variables, **market_variables(market.url_for(_CLIENT))}
        cloud = local_cloud(pair.definition, pair.artifacts, pair.authoriser, directory, variables)
        try:
            await cloud.start()
            yield cloud
        finally:
            await cloud.stop()
    finally:
        await market.stop()


def _market_of(plan: IngestPlan) -> Market:
    seed = {} if plan.market.seed is None else {"seed": plan.market.seed}
    return Market(last_day=plan.last_on, synthetic=plan.market.synthetic, **seed)


def _expected(plan: IngestPlan, market: Market) -> ExpectedLoad:
    rows = {
        tuple(row[name] for name in plan.key): tuple(row[name] for name in plan.columns)
        for row in daily_rows(market, plan.first_on, plan.last_on)
    }
    place = plan.key.index(plan.members.column)
    members = {*market.tickers(), *plan.members.unlisted}
    return ExpectedLoad(rows=rows, failed=frozenset(members - {key[place] for key in rows}))


async def _fill_members(dsn: str, plan: IngestPlan, market: Market) -> None:
    members = plan.members
    table = LoadedTable(dsn, members.table, [members.column])
    await table.insert([{members.column: name, **members.values} for name in (*market.tickers(), *members.unlisted)])


def _invoked(answer: InvocationAnswer, duration_s: float) -> Invoked:
    return Invoked(
        is_answered=answer.outcome is InvocationOutcome.ANSWERED,
        duration_s=duration_s,
        answer=answer.payload.decode(errors="replace"),
    )
