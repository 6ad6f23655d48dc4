"""Isolation parity: concurrent histories of a target, judged by a serial model that the legacy was asked for."""

import secrets
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from harness.adapters.evidence_store import disk_errors, require_empty, write_atomically, write_json
from harness.adapters.http import HttpOptions, HttpSide
from harness.domain.errors import ConfigurationError, unwritable
from harness.domain.exchange import Headers, Side
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.history import History
from harness.domain.isolation.judge import Judgement
from harness.domain.isolation.plan import Size
from harness.domain.isolation.records import campaign_record, history_records
from harness.domain.isolation.scenario import IsolationScenario, parse_scenario
from harness.domain.isolation.timeline import draw_timeline
from harness.engine.isolation import IsolationTarget
from harness.engine.isolation_campaign import DEFAULT_SEED, CampaignHooks, CampaignPlan, run_campaign
from harness.settings import Settings
from harness.wiring.bench import LOOPBACK
from harness.wiring.pair import PairOptions, mint_token, running_pair
from harness.wiring.paths import scenarios_directory

SCENARIO_FILE = "isolation.toml"
HISTORY_FILE = "history.jsonl"
FINDINGS_FILE = "findings.json"
TIMELINES_FILE = "timelines.txt"
MODEL_HISTORIES = 20
_TIMEOUT_S = 60.0
_SERIAL = Size(clients=1, keys=2, ops_per_client=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationRequest:
    """What to check: `target_url` None starts both systems here; `legacy_url` None leaves the model unasked for."""

    settings: Settings
    scenario: IsolationScenario
    target_url: str | None = None
    target_token: str | None = field(default=None, repr=False)
    legacy_url: str | None = None
    duration_s: float = 60.0
    clients: int = Size().clients
    seed: int = DEFAULT_SEED
    ends_at_first_finding: bool = False
    out: Path | None = None
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationFindings:
    """What came of it; `model` are serial histories of the legacy, None where it was not there to be asked."""

    target: Campaign
    model: Campaign | None

    @property
    def passed(self) -> bool:
        """True if no history of either contradicts the model."""
        return not self.target.found and not (self.model and self.model.found)

    @property
    def is_comparable(self) -> bool:
        """True if concurrent writes met and every search ended."""
        return self.target.is_comparable


def load_isolation(path: Path | None = None) -> IsolationScenario:
    """The scenario of a file, `scenarios/isolation.toml` by default.

    Raises:
        ConfigurationError: it cannot be read or is wrong.
    """
    found = path or scenarios_directory() / SCENARIO_FILE
    try:
        raw: Mapping[str, Any] = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "Give a TOML file like scenarios/isolation.toml."
        raise ConfigurationError(
            f"the isolation scenario cannot be read: {error}", where=str(found), hint=hint
        ) from error
    return parse_scenario(raw, where=str(found))


async def check_isolation(request: IsolationRequest) -> IsolationFindings:
    """Serial histories of the legacy first, then concurrent ones of the target; everything found goes to `out`.

    Raises:
        ConfigurationError: an address off this machine, or `out` cannot be used.
        SystemUnavailable: a side does not answer.
    """
    for url in (request.target_url, request.legacy_url):
        _require_loopback(url)
    log = _HistoryLog(request.out)
    async with _sides(request) as (target, legacy):
        model = None if legacy is None else await check_model(legacy, request.scenario, request.tell)
        plan = CampaignPlan(
            run=new_run_name(),
            seed=request.seed,
            size=Size(clients=request.clients),
            duration_s=request.duration_s,
            until=lambda campaign: request.ends_at_first_finding and bool(campaign.found),
        )
        hooks = CampaignHooks(on_history=log.append, on_progress=lambda campaign: request.tell(progress(campaign)))
        campaign = await run_campaign(target, plan, hooks)
    findings = IsolationFindings(target=campaign, model=model)
    log.finish(findings)
    return findings


async def check_model(
    legacy: IsolationTarget, scenario: IsolationScenario, tell: Callable[[str], None] = lambda _: None
) -> Campaign:
    """Serial histories of the system that the model is of: a contradiction is a mistake of the model."""
    plan = CampaignPlan(run=new_run_name(), size=_SERIAL, duration_s=_TIMEOUT_S, histories=MODEL_HISTORIES)
    hooks = CampaignHooks(on_progress=lambda campaign: tell(f"the model against the legacy: {progress(campaign)}"))
    return await run_campaign(legacy, plan, hooks)


@asynccontextmanager
async def open_side(
    side: Side, url: str, scenario: IsolationScenario, token: str | None = None
) -> AsyncIterator[IsolationTarget]:
    """A side for histories. The legacy may give a deleted row's id away again; the target never does."""
    headers: Headers = () if token is None else (("authorization", f"Bearer {token}"),)
    client = HttpSide(side, url, options=HttpOptions(timeout_s=_TIMEOUT_S, reuse_connections=True))
    try:
        await client.require_reachable()
        yield IsolationTarget(client=client, scenario=scenario, headers=headers, keeps_ids_apart=side is Side.TARGET)
    finally:
        await client.close()


def new_run_name() -> str:
    """A beginning of keys that no other run has; it ends in a letter, since a number follows."""
    return f"I{secrets.token_hex(3)}N".upper()


def progress(campaign: Campaign) -> str:
    """The sums in a line."""
    found = sum(campaign.found.values())
    return (
        f"{campaign.histories:,} histories, {campaign.operations:,} operations in {campaign.duration_s:.0f} s, "
        f"{found} finding{'' if found == 1 else 's'}"
    )


@asynccontextmanager
async def _sides(request: IsolationRequest) -> AsyncIterator[tuple[IsolationTarget, IsolationTarget | None]]:
    async with AsyncExitStack() as stack:
        target_url, legacy_url, token = request.target_url, request.legacy_url, request.target_token
        if target_url is None:
            options = PairOptions(settings=request.settings, on_progress=request.tell)
            pair = await stack.enter_async_context(running_pair(options))
            target_url, legacy_url = pair.cloud.gateway_url, pair.legacy.url
            token = mint_token(pair.target_jwt_secret_file)
        opened = open_side(Side.TARGET, target_url, request.scenario, token)
        target = await stack.enter_async_context(opened)
        if legacy_url is None:
            yield target, None
            return
        yield target, await stack.enter_async_context(open_side(Side.LEGACY, legacy_url, request.scenario))


def _require_loopback(url: str | None) -> None:
    if url is not None and urlsplit(url).hostname not in LOOPBACK:
        hint = "Histories write, and put load on a system: give an address of this machine."
        raise ConfigurationError("histories run on this machine only", where=url, hint=hint)


class _HistoryLog:
    """Every operation, a line each, as it comes; the findings at the end."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        if directory is None:
            return
        require_empty(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = directory / HISTORY_FILE
            self._file.touch()
        except OSError as error:
            hint = "Give a directory that can be written to."
            raise unwritable(error, where=str(directory), hint=hint) from error

    def append(self, history: History, _: Judgement) -> None:
        """Adds one history."""
        if self._directory is None:
            return
        with disk_errors(self._file), self._file.open("ab") as file:
            file.write(_lines([*history_records(history)]))

    def finish(self, findings: IsolationFindings) -> None:
        """Writes what was found of the target and of the model."""
        if self._directory is None:
            return
        model = None if findings.model is None else campaign_record(findings.model)
        write_json(self._directory / FINDINGS_FILE, {**campaign_record(findings.target), "model": model})
        drawn = "\n\n".join(draw_timeline(finding) for finding, _ in findings.target.findings)
        write_atomically(self._directory / TIMELINES_FILE, f"{drawn or 'no finding'}\n".encode())


def _lines(rows: Sequence[object]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
