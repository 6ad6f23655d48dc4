"""Histories and findings as JSON can carry them."""

from collections.abc import Iterator, Sequence

from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.history import History, Op, Page, Row
from harness.domain.isolation.judge import Finding
from harness.domain.isolation.timeline import draw_timeline

_US = 1_000


def history_records(history: History) -> Iterator[dict[str, object]]:
    """One record for each operation, in the order of invocation."""
    for op in sorted(history.ops, key=lambda op: op.index):
        yield {"history": history.name, **_op(op, history.fields)}


def campaign_record(campaign: Campaign) -> dict[str, object]:
    """The sums, and the smallest finding of each kind with its timeline."""
    return {
        "format_version": 1,
        "seed": campaign.seed,
        "duration_s": round(campaign.duration_s, 3),
        "histories": campaign.histories,
        "contended": campaign.contended,
        "operations": campaign.operations,
        "unknown": campaign.unknown,
        "searches": campaign.searches,
        "undecided": campaign.undecided,
        "statuses": dict(sorted(campaign.statuses.items())),
        "findings": [_finding(finding, count) for finding, count in campaign.findings],
    }


def _finding(finding: Finding, count: int) -> dict[str, object]:
    return {
        "title": finding.title,
        "anomaly": finding.anomaly,
        "count": count,
        "history": finding.history,
        "keys": finding.keys,
        "counterexample": [_op(op, finding.fields) for op in finding.core],
        "overlapping": [_op(op, finding.fields) for op in finding.context],
        "timeline": draw_timeline(finding).splitlines(),
    }


def _op(op: Op, fields: Sequence[str]) -> dict[str, object]:
    return {
        "index": op.index,
        "client": op.client,
        "operation": op.spec.name,
        "key": op.key,
        "row_id": op.row_id,
        "value": op.value,
        "invoked_us": op.invoked_ns // _US,
        "returned_us": op.returned_ns // _US,
        "status": op.status,
        "row": None if op.row is None else _row(op.row, fields),
        "page": None if op.page is None else _page(op.page, fields),
    }


def _row(row: Row, fields: Sequence[str]) -> dict[str, object]:
    return {"id": row.id, **dict(zip(fields, row.fields, strict=True))}


def _page(page: Page, fields: Sequence[str]) -> dict[str, object]:
    rows = [{"key": key, **_row(row, fields)} for key, row in page.rows]
    return {"number": page.number, "size": page.size, "total": page.total, "rows": rows}
