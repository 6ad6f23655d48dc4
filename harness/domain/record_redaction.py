"""A whole session record without secrets: exchanges, rows, differences."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from msgspec import structs

from harness.domain.difference import Difference
from harness.domain.record import RowChange, SessionRecord, StepRecord
from harness.domain.redaction import SECRET_NAME, Redactor
from harness.domain.rows import Cell, Row, TableSchema

_Schemas = Mapping[str, TableSchema]


def redact_session(record: SessionRecord, redactor: Redactor) -> SessionRecord:
    """The record as it may be stored; equal secrets are still equal in it."""
    schemas = (record.legacy_schemas, record.target_schemas)
    return replace(
        record,
        steps=tuple(_step(step, schemas, redactor) for step in record.steps),
        repeat=tuple(_step(step, schemas, redactor) for step in record.repeat),
        initial_differences=tuple(_difference(difference, redactor) for difference in record.initial_differences),
    )


def _step(step: StepRecord, schemas: tuple[_Schemas, _Schemas], redactor: Redactor) -> StepRecord:
    legacy, target = redactor.exchange(step.pair.legacy), redactor.exchange(step.pair.target)
    is_clean = legacy is step.pair.legacy and target is step.pair.target
    if is_clean and not (step.legacy_changes or step.target_changes or step.sent_differently):
        return step
    pair = structs.replace(step.pair, legacy=legacy, target=target)
    return structs.replace(
        step,
        pair=pair,
        legacy_changes=_changes(step.legacy_changes, schemas[0], redactor),
        target_changes=_changes(step.target_changes, schemas[1], redactor),
        sent_differently=tuple(redactor.text(text) for text in step.sent_differently),
    )


def _changes(changes: Iterable[RowChange], schemas: _Schemas, redactor: Redactor) -> tuple[RowChange, ...]:
    return tuple(_change(change, schemas.get(change.table), redactor) for change in changes)


def _change(change: RowChange, schema: TableSchema | None, redactor: Redactor) -> RowChange:
    columns = () if schema is None else schema.column_names
    before, after = (_row(row, columns, redactor) for row in (change.before, change.after))
    return replace(change, before=before, after=after)


def _row(row: Row | None, columns: tuple[str, ...], redactor: Redactor) -> Row | None:
    if row is None:
        return None
    names = (*columns, *[""] * (len(row) - len(columns)))
    return tuple(_cell(name, cell, redactor) for name, cell in zip(names, row, strict=True))


def _cell(name: str, cell: Cell, redactor: Redactor) -> Cell:
    if not isinstance(cell, str):
        return cell
    return redactor.secret(cell) if SECRET_NAME.fullmatch(name) else redactor.text(cell)


def _difference(difference: Difference, redactor: Redactor) -> Difference:
    name = difference.pointer.rsplit("/", 1)[-1]
    return replace(
        difference, legacy=redactor.value(name, difference.legacy), target=redactor.value(name, difference.target)
    )
