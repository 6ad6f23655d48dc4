"""Runs one concurrent history on a system, and takes its rows away again."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.domain.exchange import Headers, Response
from harness.domain.isolation.history import History, Op
from harness.domain.isolation.plan import Intent, Plan
from harness.domain.isolation.scenario import IsolationScenario, Kind, OperationSpec, Refusal, RowSpec
from harness.domain.ports import SideClient
from harness.engine.isolation_answers import read_page, read_row
from harness.uninterrupted import run_to_its_end, run_together

_CLEANING_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationTarget:
    """A system under test: how it is reached, and what every request carries.

    `keeps_ids_apart` False: the system may give the id of its last row to the next one once it is deleted. A row of our
    own then follows every create, so that it never is the last.
    """

    client: SideClient
    scenario: IsolationScenario
    headers: Headers = ()
    keeps_ids_apart: bool = True
    clock: Callable[[], int] = field(default=time.perf_counter_ns)


async def run_history(target: IsolationTarget, plan: Plan) -> History:
    """Creates the keys, lets all clients loose at once, then reads every key and page in quiet; leaves no row of ours.

    Raises:
        SystemUnavailable: an accepted answer does not show what the scenario says.
    """
    run = _Run(target, plan)
    try:
        await run_to_its_end(run.play(), on_cancel=run.stop)
    finally:
        await run_to_its_end(run.clean())
    return History(name=plan.group, keys=plan.keys, fields=target.scenario.row.fields, ops=tuple(run.ops))


class _Run:
    def __init__(self, target: IsolationTarget, plan: Plan) -> None:
        self._target = target
        self._scenario = target.scenario
        self._plan = plan
        self._ids: dict[str, str] = {}
        self._made: dict[str, None] = {}
        self._sent = 0
        self._is_stopped = False
        self.ops: list[Op] = []

    async def play(self) -> None:
        """The whole of it, or up to the requests that are under way when it is stopped."""
        await self._in_turn(0, self._plan.creates)
        await run_together(*(self._in_turn(n, intents) for n, intents in enumerate(self._plan.clients, start=1)))
        await self._in_turn(0, self._last_looks())

    def stop(self) -> None:
        """Sends nothing more. What is under way is waited for: it may write, which has to be taken away again."""
        self._is_stopped = True

    async def _in_turn(self, client: int, intents: Iterable[Intent]) -> None:
        """One client's operations, each once the one before is answered; one without a row to be about is left out."""
        for intent in intents:
            if self._is_stopped:
                return
            row_id = None
            if intent.key is not None and intent.spec.kind is not Kind.CREATE:
                row_id = self._ids.get(intent.key)
                if row_id is None:
                    continue
            op = await self._send(client, intent, row_id)
            self.ops.append(op)
            if op.kind is Kind.CREATE and op.row is not None and op.row.id is not None:
                self._ids[op.key or ""] = op.row.id
                self._made[op.row.id] = None
                await self._space()

    def _last_looks(self) -> Sequence[Intent]:
        """A read of every key, and the first page of every list, in its largest size."""
        (read,) = self._scenario.of_kind(Kind.READ)
        reads = [Intent(spec=read, key=key, value=0) for key in self._plan.keys]
        lists = self._scenario.of_kind(Kind.LIST)
        return (*reads, *(Intent(spec=spec, key=None, value=0, page_size=_largest(spec)) for spec in lists))

    async def clean(self) -> None:
        """Deletes every row that was made, and what lists still show of those whose create was never answered.

        What is refused for a while (503, say) is asked again, a few times.
        """
        everything = [spec for spec in self._scenario.of_kind(Kind.LIST) if not spec.guard][:1]
        left = dict.fromkeys(self._made)
        for _ in range(_CLEANING_ROUNDS):
            left = {row_id: None for row_id in left if not await self._is_deleted(row_id)}
            listed = [await self._listed(spec) for spec in everything]
            left |= dict.fromkeys(row_id for rows in listed for row_id in rows or ())
            if not left and None not in listed:
                return

    async def _is_deleted(self, row_id: str) -> bool:
        delete = self._scenario.of_kind(Kind.DELETE)[0]
        sent = await self._target.client.send(delete.request(self._values(None, row_id), self._target.headers))
        return sent.response is not None and sent.response.status in {delete.succeeds, delete.refused[Refusal.ABSENT]}

    async def _send(self, client: int, intent: Intent, row_id: str | None) -> Op:
        row = self._scenario.row
        index, self._sent = self._sent, self._sent + 1
        request = intent.spec.request(self._values(intent, row_id), self._target.headers)
        invoked_ns = self._target.clock()
        exchange = await self._target.client.send(request)
        returned_ns = self._target.clock()
        answer = exchange.response if exchange.response and not exchange.response.is_truncated else None
        op = Op(
            index=index,
            client=client,
            spec=intent.spec,
            key=intent.key,
            row_id=row_id,
            value=intent.value,
            writes=row.written_by(intent.spec, intent.value),
            guard=row.indexed(intent.spec.guard),
            invoked_ns=invoked_ns,
            returned_ns=returned_ns,
            status=None if answer is None else answer.status,
        )
        return op if answer is None else _with_answer(op, answer, intent, row)

    async def _space(self) -> None:
        if self._target.keeps_ids_apart:
            return
        (create,) = self._scenario.of_kind(Kind.CREATE)
        values = {"group": f"{self._plan.group}S", "key": f"{self._plan.group}-S{len(self._made)}", "value": "0"}
        exchange = await self._target.client.send(create.request(values, self._target.headers))
        if exchange.response is not None and exchange.response.status == create.succeeds:
            spacer = Intent(spec=create, key=values["key"], value=0)
            row = read_row(exchange.response, self._scenario.row, spacer)
            self._made[row.id or ""] = None

    async def _listed(self, spec: OperationSpec) -> list[str] | None:
        """The ids that a list shows; None where it is not answered."""
        intent = Intent(spec=spec, key=None, value=0, page_size=_largest(spec))
        request = spec.request(self._values(intent, None), self._target.headers)
        response = (await self._target.client.send(request)).response
        if response is None or response.is_truncated or response.status != spec.succeeds:
            return None
        return [row.id or "" for _, row in read_page(response, self._scenario.row, intent).rows]

    def _values(self, intent: Intent | None, row_id: str | None) -> Mapping[str, str]:
        values = {"group": self._plan.group, "id": row_id or ""}
        if intent is None:
            return values
        page = {"page": str(intent.page), "size": str(intent.page_size)}
        return values | page | {"key": intent.key or "", "value": str(intent.value)}


def _with_answer(op: Op, answer: Response, intent: Intent, row: RowSpec) -> Op:
    if not op.is_accepted:
        return op
    if intent.key is None:
        return replace(op, page=read_page(answer, row, intent))
    return replace(op, row=read_row(answer, row, intent)) if intent.spec.rows_answered else op


def _largest(spec: OperationSpec) -> int:
    return max(spec.page.sizes) if spec.page is not None else 0
