"""One defect at a time between the replay and the real target: the gate says NO-GO to each, and names the place."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from harness.adapters.http import utc_now
from harness.cli import run
from harness.domain.criterion import Verdict
from harness.domain.errors import ExitCode
from harness.domain.evaluate import EvaluationContext, evaluate_criterion
from harness.domain.phase import Scope
from harness.settings import load_settings
from harness.wiring.judgement import judge_run
from harness.wiring.probes.parity import PROBES_OF_ROWS, parity_evidence
from harness.wiring.rules import load_waivers, rules_of_today
from scenarios.criteria import load_plan
from tests.builders.defect_proxy import Answer, DefectProxy, Forward, Plant, Sent, pass_on
from tests.builders.started_pair import StartedPair

TRADES = "/api/trades/"
LIST = f"{TRADES}?sort_by=id&sort_desc=false&page_size=5"
ANYTHING = "…"
JSON = {"content-type": "application/json"}
NEW = {
    "trade_id": "S-sabotage",
    "ticker": "GLD",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.5,
    "entry_date": "2024-03-04T10:30:00",
}
STEPS: tuple[dict[str, Any], ...] = (
    {
        "name": "create",
        "request": {"method": "POST", "url": TRADES, "json": NEW, "headers": JSON},
        "save": {"id": "/id"},
    },
    {"name": "read", "request": {"method": "GET", "url": f"{TRADES}{{{{id}}}}"}},
    {"name": "list", "request": {"method": "GET", "url": LIST}},
    {"name": "refused", "request": {"method": "GET", "url": f"{TRADES}?page=x"}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A defect, and the difference that must be among those found."""

    plant: Plant
    step: int
    facet: str
    pointer: str
    legacy: str | None
    target: str | None


def edited(is_meant: Callable[[Sent], bool], edit: Callable[[Answer], Answer]) -> Plant:
    """Changes the answers to the requests that are meant."""

    async def plant(sent: Sent, forward: Forward) -> Answer:
        answer = await forward(sent)
        return edit(answer) if is_meant(sent) else answer

    return plant


def body(change: Callable[[Any], Any]) -> Callable[[Answer], Answer]:
    """Changes the answer's document in place, or replaces it by what `change` returns."""

    def edit(answer: Answer) -> Answer:
        document = answer.document
        changed = change(document)
        return replace(answer, body=orjson.dumps(document if changed is None else changed))

    return edit


def is_read(sent: Sent) -> bool:
    """The read of one trade."""
    return sent.method == "GET" and "?" not in sent.path


def is_list(sent: Sent) -> bool:
    """The list."""
    return sent.method == "GET" and sent.path == LIST


def is_refused(sent: Sent) -> bool:
    """The list with a page that is no number."""
    return sent.path.endswith("page=x")


def shifted(text: str) -> str:
    """The same moment one day later."""
    return (datetime.fromisoformat(text) + timedelta(days=1)).isoformat()


def with_header(name: str, value: str) -> Callable[[Answer], Answer]:
    """Replaces one header."""
    return lambda answer: replace(
        answer, headers=(*((k, v) for k, v in answer.headers if k.lower() != name), (name, value))
    )


async def ignore_page_size(sent: Sent, forward: Forward) -> Answer:
    """The target pages by four, whatever is asked for."""
    return await forward(replace(sent, path=sent.path.replace("page_size=5", "page_size=4")))


async def lose_write(sent: Sent, forward: Forward) -> Answer:
    """The trade is answered as created, and is gone a moment later."""
    answer = await forward(sent)
    if sent.method == "POST" and answer.status < 300:
        await forward(Sent(method="DELETE", path=f"{TRADES}{answer.document['id']}", headers=(), body=b""))
    return answer


async def repeat_write(sent: Sent, forward: Forward) -> Answer:
    """The trade is stored once more, under another trade id; the answer is that of the first."""
    answer = await forward(sent)
    if sent.method == "POST" and answer.status < 300:
        again = {**sent.document, "trade_id": "S-sabotage-again"}
        await forward(replace(sent, body=orjson.dumps(again)))
    return answer


CASES: dict[str, Case] = {
    "status": Case(
        plant=edited(is_read, lambda answer: replace(answer, status=203)),
        step=2, facet="status", pointer="", legacy="200", target="203",
    ),
    "missing key": Case(
        plant=edited(is_read, body(lambda trade: trade.pop("currency") and None)),
        step=2, facet="body", pointer="/currency", legacy='"AUD"', target=None,
    ),
    "extra key": Case(
        plant=edited(is_read, body(lambda trade: {**trade, "version": 1})),
        step=2, facet="body", pointer="/version", legacy=None, target="1",
    ),
    "null for missing": Case(
        plant=edited(is_refused, body(lambda found: found["detail"][0].update(ctx=None))),
        step=4, facet="body", pointer="/detail/0/ctx", legacy=None, target="null",
    ),
    "10 against 10.0": Case(
        plant=edited(is_read, body(lambda trade: trade.update(quantity=int(trade["quantity"])))),
        step=2, facet="body", pointer="/quantity", legacy="10.0", target="10",
    ),
    "number to string": Case(
        plant=edited(is_read, body(lambda trade: trade.update(entry_price=str(trade["entry_price"])))),
        step=2, facet="body", pointer="/entry_price", legacy="100.5", target='"100.5"',
    ),
    "date shifted": Case(
        plant=edited(is_read, body(lambda trade: trade.update(entry_date=shifted(trade["entry_date"])))),
        step=2, facet="body", pointer="/entry_date",
        legacy='"2024-03-04T10:30:00"', target='"2024-03-05T10:30:00"',
    ),
    "order": Case(
        plant=edited(is_list, body(lambda page: page["trades"].reverse())),
        step=3, facet="body", pointer="/trades", legacy="[1,2,3,4,5]", target="[5,4,3,2,1]",
    ),
    "page size": Case(
        plant=ignore_page_size,
        step=3, facet="body", pointer="/page_size", legacy="5", target="4",
    ),
    "header": Case(
        plant=edited(is_read, with_header("content-type", "text/plain")),
        step=2, facet="header", pointer="content-type", legacy='"application/json"', target='"text/plain"',
    ),
    "lost write": Case(
        plant=lose_write, step=1, facet="row", pointer="/trades/101", legacy=ANYTHING, target=None,
    ),
    "doubled write": Case(
        plant=repeat_write, step=1, facet="row", pointer="/trades/102", legacy=None, target=ANYTHING,
    ),
}  # fmt: skip


class Bench:
    """A running pair with a proxy before its target."""

    def __init__(self, addresses: dict[str, Any], proxy: DefectProxy, session: Path) -> None:
        self.proxy = proxy
        self._addresses = addresses
        self._session = session

    def replay(self, out: Path, plant: Plant = pass_on) -> int:
        """`parakeet replay` of the session through the proxy."""
        self.proxy.plant = plant
        known = self._addresses
        return run(
            [
                "replay", "--legacy-url", known["legacy_url"], "--target-url", self.proxy.url,
                "--legacy-db", known["legacy_db"], "--target-dsn", known["target_dsn"],
                "--sessions", str(self._session), "--out", str(out),
            ]
        )  # fmt: skip

    def trades(self) -> int:
        """Rows of the legacy's table."""
        with closing(sqlite3.connect(self._addresses["legacy_db"])) as database:
            return int(database.execute("SELECT count(*) FROM trades").fetchone()[0])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One pair for all of this module."""
    directory = tmp_path_factory.mktemp("pair")
    session = directory / "session.json"
    session.write_text(json.dumps({"format_version": 1, "id": "sabotage", "group": "trades", "steps": STEPS}))
    pair = StartedPair(directory)
    try:
        addresses = pair.addresses()
        with DefectProxy(addresses["target_url"]) as proxy:
            yield Bench(addresses, proxy, session)
    finally:
        pair.end()


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", CASES)
def test_one_planted_defect_is_no_go_and_is_named(
    bench: Bench, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case, out = CASES[name], tmp_path / "run"
    assert bench.replay(out, case.plant) == ExitCode.NO_GO
    printed = capsys.readouterr().out
    found = unexplained(out)
    (named,) = (line for line in found if (line["facet"], line["pointer"]) == (case.facet, case.pointer))
    assert named["step"] == case.step == min(line["step"] for line in found), "nothing before it is blamed"
    for side, value in (("legacy", case.legacy), ("target", case.target)):
        assert (named[side] is None) == (value is None)
        assert value in {None, ANYTHING, named[side]}
    assert f"at      {case.pointer or '(status)'}" in printed
    assert "(absent)" in printed or None not in {case.legacy, case.target}
    assert judged_criteria(out) == {
        "P4.trades.parity": Verdict.FAIL if any(line["facet"] != "row" for line in found) else Verdict.PASS,
        "P4.trades.state": Verdict.FAIL if case.facet == "row" else Verdict.PASS,
    }
    assert run(["gate", "--run", str(out)]) == ExitCode.NO_GO


def judged_criteria(out: Path) -> dict[str, Verdict]:
    """The parity criteria of trades, evaluated as `parakeet verify` does from the same exchanges."""
    rules = rules_of_today(load_waivers(None), load_settings().rows)
    judgement = judge_run(out, rules)
    plan = load_plan()
    scope = Scope(environment="local", profile="quick")
    context = EvaluationContext(scope=scope, commit="", judged_at=utc_now())
    verdicts = {}
    for criterion in plan.find_criteria("P4.trades"):
        evidence = parity_evidence(judgement, criterion, rules, rows=PROBES_OF_ROWS[criterion.probe or ""])
        verdicts[criterion.id] = evaluate_criterion(criterion, evidence, context).verdict
    return verdicts


def unexplained(out: Path) -> list[dict[str, Any]]:
    """The differences that fail the gate."""
    return [line for line in lines(out / "differences.jsonl") if line["outcome"] == "different"]


def test_nothing_planted_is_go_in_five_runs(bench: Bench, tmp_path: Path) -> None:
    before = bench.trades()
    for number in range(5):
        out = tmp_path / f"run{number}"
        assert bench.replay(out) == ExitCode.GO, (out / "differences.jsonl").read_text()
        assert unexplained(out) == []
        assert len(lines(out / "comparisons.jsonl")) == len(STEPS)
        assert judged_criteria(out) == {"P4.trades.parity": Verdict.PASS, "P4.trades.state": Verdict.PASS}
    assert bench.trades() == before


def test_a_replayed_run_holds_every_report_and_its_decision(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert bench.replay(out, CASES["status"].plant) == ExitCode.NO_GO
    names = {"report.html", "report.md", "junit.xml", "report.sarif", "decision.json"}
    assert names <= {path.name for path in out.iterdir()}
    assert json.loads((out / "decision.json").read_text())["decision"] == "NO_GO"
    for name in names:
        (out / name).unlink()
    assert run(["compare", "--run", str(out)]) == ExitCode.NO_GO
    assert names <= {path.name for path in out.iterdir()}


def test_a_cut_off_replay_is_never_go(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert bench.replay(out) == ExitCode.GO
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "finished_at": None}))
    assert run(["compare", "--run", str(out)]) == ExitCode.INCONCLUSIVE
    assert run(["gate", "--run", str(out)]) == ExitCode.INCONCLUSIVE
    assert "cut off" in (out / "report.md").read_text()
