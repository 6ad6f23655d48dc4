"""The judge of whole histories agrees with trying every order on a table of its own: pages, lost answers, two keys."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

import pytest

from harness.domain.isolation.history import History, Op, Page, Row
from harness.domain.isolation.judge import judge_history
from harness.domain.isolation.scenario import Kind, Refusal
from tests.builders.histories import history, op, page

KEYS = ("a", "b")
NAMES = ("create", "rename", "reprice", "seal", "reopen", "delete", "read", "list", "list")
Table = Mapping[str, Row]


def serve(table: Table, asked: Op, fresh: str | None) -> tuple[Op, Table]:
    """What a table answers, and what it is then; `asked.page` says which page."""
    if asked.page is not None:
        rows, first = sorted(table.items()), (asked.page.number - 1) * asked.page.size
        shown = tuple(rows[first : first + asked.page.size])
        return replace(asked, page=replace(asked.page, rows=shown, total=len(rows))), table
    key, row = asked.key or "", table.get(asked.key or "")
    if (refusal := _refusal(row, asked)) is not None:
        return replace(asked, status=asked.spec.refused[refusal], row=None), table
    if asked.kind is Kind.DELETE:
        return replace(asked, row=None), {name: each for name, each in table.items() if name != key}
    cells = dict(enumerate(row.fields if row else ())) | dict(asked.writes)
    after = Row(id=row.id if row else fresh, fields=tuple(cells[index] for index in sorted(cells)))
    return replace(asked, row=after), {**table, key: after}


def _refusal(row: Row | None, asked: Op) -> Refusal | None:
    if asked.kind is Kind.CREATE:
        return None if row is None else Refusal.TAKEN
    if row is None or row.id != asked.row_id:
        return Refusal.ABSENT
    return Refusal.GUARD if any(row.fields[index] != cell for index, cell in asked.guard) else None


def has_an_order(ops: Sequence[Op], table: Table) -> bool:
    """Whether any order that respects time explains every answer; who was not answered may have written, or not."""
    if all(each.is_unknown for each in ops):
        return True
    for place, each in enumerate(ops):
        others = [*ops[:place], *ops[place + 1 :]]
        if any(other.returned_ns < each.invoked_ns for other in others if not other.is_unknown):
            continue
        answered, after = serve(table, replace(each, status=each.spec.succeeds), each.row.id if each.row else None)
        if (each.is_unknown or _is_answer(answered, each)) and has_an_order(others, after):
            return True
    return False


def _is_answer(answered: Op, seen: Op) -> bool:
    """Whether it is what was seen; the id of a row whose create was not answered may be any."""
    ours, theirs = _shown(answered), _shown(seen)
    totals = [each.page.total if each.page else None for each in (answered, seen)]
    return (answered.status, totals[0], len(ours)) == (seen.status, totals[1], len(theirs)) and all(
        key == other and row.is_shown_as(shown) for (key, row), (other, shown) in zip(ours, theirs, strict=True)
    )


def _shown(answered: Op) -> Sequence[tuple[str, Row]]:
    if answered.page is not None:
        return answered.page.rows
    return () if answered.row is None else ((answered.key or "", answered.row),)


def drawn(chooser: random.Random) -> History:
    """Operations that took effect somewhere within their time on one table; some answers are lost, one may be wrong."""
    asked: list[tuple[float, Op]] = []
    for position in range(chooser.randint(3, 7)):
        name, begun = chooser.choice(NAMES) if position > 1 else "create", chooser.randint(2, 12) if position > 1 else 0
        ended = begun + chooser.randint(0, 9) * (position > 1)
        is_lost = name not in {"read", "list"} and chooser.random() < 0.15
        which = page(size=chooser.choice([1, 50]), number=chooser.choice([1, 1, 2])) if name == "list" else None
        key = KEYS[position] if position < 2 else chooser.choice(KEYS)
        row_id = chooser.choice(["0", "0", "1", "2"])
        made = op(name, (begun, ended), value=position, key=key, row_id=row_id, page=which)
        moment = inf if is_lost and chooser.random() < 0.3 else chooser.uniform(begun, ended + 20 * is_lost)
        asked.append((moment, replace(made, client=2 if is_lost else 1)))
    table: Table = {}
    answered = list[Op]()
    for fresh, (moment, each) in enumerate(sorted(asked, key=lambda pair: pair[0])):
        done, after = serve(table, each, str(fresh))
        table = table if moment == inf else after
        answered.append(replace(done, status=None, row=None) if each.client == 2 else done)
    return history(*_with_one_wrong(answered, chooser), keys=KEYS)


def _with_one_wrong(ops: Sequence[Op], chooser: random.Random) -> Sequence[Op]:
    place = chooser.randrange(len(ops))
    spoilt = ops[place]
    if chooser.random() < 0.5 or spoilt.is_unknown:
        return ops
    if isinstance(spoilt.page, Page):
        spoilt = replace(spoilt, page=replace(spoilt.page, rows=spoilt.page.rows[1:]))
    elif spoilt.row is not None and spoilt.kind is not Kind.CREATE:
        spoilt = replace(spoilt, row=replace(spoilt.row, fields=("1", *spoilt.row.fields[1:])))
    else:
        spoilt = replace(spoilt, invoked_ns=spoilt.invoked_ns + 5, returned_ns=spoilt.returned_ns + 5)
    return [*ops[:place], spoilt, *ops[place + 1 :]]


@pytest.mark.parametrize("seed", range(4))
def test_the_judge_agrees_with_trying_every_order(seed: int) -> None:
    chooser, verdicts = random.Random(seed), list[bool]()
    for _ in range(150):
        made = drawn(chooser)
        verdicts.append(not judge_history(made).findings)
        assert verdicts[-1] == has_an_order(made.ops, {}), made
    assert 20 < sum(verdicts) < 140, "both verdicts are asked for"
