"""A finding drawn as a timeline in text: a line for every client, a bar for every operation."""

from collections.abc import Sequence

from harness.domain.isolation.history import Op, Page, Row
from harness.domain.isolation.judge import Finding
from harness.domain.isolation.scenario import Cell, Kind

_WIDTH = 72
_MS = 1_000_000
_LEGEND = "* these answers have no serial order, whatever else is taken to have happened; unmarked ones overlap them"


def draw_timeline(finding: Finding) -> str:
    """The contradiction first, then what overlapped it; times are milliseconds since the first of them began.

    Bars are to scale, and `…` at the end of one says that no answer came.
    """
    ops = sorted((*finding.core, *finding.context), key=lambda op: (op.invoked_ns, op.index))
    start = min(op.invoked_ns for op in ops)
    end = max(_known_end(op) for op in ops)
    chosen = {op.index for op in finding.core}
    lines = [f"{finding.title}: {finding.history}, {', '.join(finding.keys) or 'no key'}"]
    for op in ops:
        mark = "*" if op.index in chosen else " "
        bar = _bar(op, start, max(1, end - start))
        lines.append(f"{mark} client {op.client:<3} |{bar}|")
        lines.append(f"  {_times(op, start)}  {_request(op, finding.fields)} -> {_answer(op, finding.fields)}")
    lines.append(_LEGEND)
    return "\n".join(lines)


def _bar(op: Op, start: int, span: int) -> str:
    first = (op.invoked_ns - start) * (_WIDTH - 1) // span
    last = (_known_end(op) - start) * (_WIDTH - 1) // span
    body = "[" + "=" * max(0, last - first - 1) + ("…" if op.is_unknown else "]")
    return (" " * first + body)[:_WIDTH].ljust(_WIDTH)


def _known_end(op: Op) -> int:
    return op.invoked_ns + _MS if op.is_unknown else op.returned_ns


def _times(op: Op, start: int) -> str:
    begun = f"{(op.invoked_ns - start) / _MS:.1f}"
    return f"{begun} ms to {'?' if op.is_unknown else f'{(op.returned_ns - start) / _MS:.1f} ms'}"


def _request(op: Op, fields: Sequence[str]) -> str:
    written = ", ".join(f"{fields[index]}={_cell(cell)}" for index, cell in op.writes)
    # What a page shows of one key alone is still that page.
    where = f"page {op.page.number} of size {op.page.size}" if op.page else op.key or ""
    row = f" (row {op.row_id})" if op.row_id else ""
    return f"{op.spec.name} {where}{row}{f': {written}' if written else ''}".replace("  ", " ")


def _answer(op: Op, fields: Sequence[str]) -> str:
    if op.status is None:
        return "no answer"
    if op.page is not None and op.kind is Kind.LIST:
        return f"{op.status} {_page(op.page, fields)}"
    return f"{op.status} {_row(op.row, fields)}".rstrip() if op.row else str(op.status)


def _page(page: Page, fields: Sequence[str]) -> str:
    rows = "; ".join(f"{key} {_row(row, fields)}" for key, row in page.rows)
    total = "" if page.total is None else f" of {page.total}"
    return f"{len(page.rows)} rows{total}: {rows or 'none'}"


def _row(row: Row | None, fields: Sequence[str]) -> str:
    if row is None:
        return ""
    return "{" + ", ".join(f"{name}={_cell(cell)}" for name, cell in zip(fields, row.fields, strict=True)) + "}"


def _cell(cell: Cell) -> str:
    if cell is None:
        return "null"
    return f"{cell:g}" if isinstance(cell, float) else repr(cell) if isinstance(cell, str) else str(cell).lower()
