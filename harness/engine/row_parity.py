"""Row parity of two whole databases: every table that either side has, as a stream of final outcomes."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from harness.domain.difference import Difference
from harness.domain.ports import RowSource
from harness.domain.redacted_rows import redact_row_difference
from harness.domain.redaction import Redactor
from harness.domain.row_difference import Key, extra_row, key_of, missing_column, missing_rows
from harness.domain.row_mapping import RowMapping, carried_tables, target_table
from harness.domain.row_mapping_check import check_tables
from harness.domain.row_parity import KeyRange, RangeOutcome
from harness.domain.row_plan import TablePlan, plan_table
from harness.domain.rows import TableSchema
from harness.engine.rows import RowParityOptions, compare_table

Schemas = Mapping[str, TableSchema]


async def compare_databases(
    legacy: RowSource,
    target: RowSource,
    *,
    mapping: RowMapping,
    done: Mapping[str, Key | None] | None = None,
    options: RowParityOptions | None = None,
) -> AsyncGenerator[RangeOutcome, None]:
    """Compares all tables but bookkeeping in the order of their names; memory does not grow with the rows.

    Values are compared as they are; the differences leave here without secrets, by a key that nobody keeps. `done`
    says per legacy table up to which key it was compared before; None means wholly. Tables that only the target has
    differ if they hold rows, unless the mapping names them as added.

    Raises:
        ConfigurationError: the mapping does not fit the databases, or one of them cannot be read.
        SystemUnavailable: a database does not answer.
    """
    async with legacy.open_reader() as ours, target.open_reader() as theirs:
        schemas = await ours.read_schemas(), await theirs.read_schemas()
    check_tables(mapping, *schemas)
    redactor = Redactor(key=secrets.token_bytes(32))
    outcomes = _outcomes(legacy, target, schemas, mapping, done, options)
    async with aclosing(outcomes):
        async for outcome in outcomes:
            clean = tuple(redact_row_difference(each, schemas, redactor) for each in outcome.differences)
            yield replace(outcome, differences=clean) if clean else outcome


async def _outcomes(  # noqa: PLR0913, PLR0917 - both sides, what they hold, and what is asked of the comparison
    legacy: RowSource,
    target: RowSource,
    schemas: tuple[Schemas, Schemas],
    mapping: RowMapping,
    done: Mapping[str, Key | None] | None,
    options: RowParityOptions | None,
) -> AsyncGenerator[RangeOutcome, None]:
    plans = _plans(*schemas, mapping)
    for name in carried_tables(schemas[0], mapping):
        if done is not None and name in done and done[name] is None:
            continue
        after = None if done is None else done.get(name)
        if name not in plans:
            yield RangeOutcome(table=name, keys=KeyRange(), differences=(missing_rows(name, '"table"'),))
            continue
        lost = tuple(missing_column(name, each) for each in plans[name].lost) if after is None else ()
        if lost:
            yield RangeOutcome(table=name, keys=KeyRange(upto=()), differences=lost)
        async with aclosing(compare_table(legacy, target, plans[name], after=after, options=options)) as outcomes:
            async for outcome in outcomes:
                yield outcome
    for name in sorted(_only_on_target(*schemas, mapping)):
        yield await _outcome_of_extra(target, schemas[1][name])


def _plans(legacy: Schemas, target: Schemas, mapping: RowMapping) -> Mapping[str, TablePlan]:
    answering = {name: target_table(name, mapping) for name in carried_tables(legacy, mapping)}
    return {
        name: plan_table(legacy[name], target[other], mapping.get(name))
        for name, other in answering.items()
        if other in target
    }


def _only_on_target(legacy: Schemas, target: Schemas, mapping: RowMapping) -> set[str]:
    added = {name for name, each in mapping.items() if each.is_added}
    return set(target) - {target_table(name, mapping) for name in carried_tables(legacy, mapping)} - added


async def _outcome_of_extra(target: RowSource, schema: TableSchema) -> RangeOutcome:
    found: list[Difference] = []
    async with target.open_reader() as reader:
        async for block in reader.read_blocks(schema.name, schema.key or schema.column_names, KeyRange()):
            found += (extra_row(schema.name, schema, key_of(schema, row), row) for row in block)
    return RangeOutcome(table=schema.name, keys=KeyRange(), target_rows=len(found), differences=tuple(found))
