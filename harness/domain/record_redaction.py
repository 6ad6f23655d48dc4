"""A whole session record without secrets: exchanges, rows, differences."""

from dataclasses import replace

from msgspec import structs

from harness.domain.record import SessionRecord, StepRecord
from harness.domain.redacted_rows import Schemas, redact_changes, redact_row_difference
from harness.domain.redaction import Redactor


def redact_session(record: SessionRecord, redactor: Redactor) -> SessionRecord:
    """The record as it may be stored; equal secrets are still equal in it."""
    schemas = (record.legacy_schemas, record.target_schemas)
    return replace(
        record,
        steps=tuple(_step(step, schemas, redactor) for step in record.steps),
        repeat=tuple(_step(step, schemas, redactor) for step in record.repeat),
        initial_differences=tuple(
            redact_row_difference(difference, schemas, redactor) for difference in record.initial_differences
        ),
    )


def _step(step: StepRecord, schemas: tuple[Schemas, Schemas], redactor: Redactor) -> StepRecord:
    legacy, target = redactor.exchange(step.pair.legacy), redactor.exchange(step.pair.target)
    is_clean = legacy is step.pair.legacy and target is step.pair.target
    if is_clean and not (step.legacy_changes or step.target_changes or step.sent_differently):
        return step
    pair = structs.replace(step.pair, legacy=legacy, target=target)
    return structs.replace(
        step,
        pair=pair,
        legacy_changes=redact_changes(step.legacy_changes, schemas[0], redactor),
        target_changes=redact_changes(step.target_changes, schemas[1], redactor),
        sent_differently=tuple(redactor.text(text) for text in step.sent_differently),
    )
