"""`parakeet phases`: what the migration is judged by."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.domain.criterion import Criterion
from harness.domain.errors import ConfigurationError
from harness.domain.measurement import format_quantity

_PIPED_WIDTH = 200
_COLUMNS = (
    ("Id", True),
    ("Criterion", False),
    ("Target", True),
    ("Probe", True),
    ("Quick", True),
    ("Asked for by", False),
)


def phases(
    phase: Annotated[int | None, typer.Option("--phase", help="Only this phase.")] = None,
) -> int:
    """List every phase with its criteria, targets, probes and where they come from.

    Example: parakeet phases --phase 3
    """
    from harness.wiring.plan import judged_plan, require_criteria  # noqa: PLC0415 - read only when this command runs

    require_criteria()
    plan = judged_plan()
    shown = [entry for entry in plan.phases if phase in {None, entry.number}]
    if not shown:
        hint = f"Choose from {', '.join(str(entry.number) for entry in plan.phases)}."
        raise ConfigurationError(f"there is no phase {phase}", hint=hint)
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH)
    for entry in shown:
        table = Table(title_justify="left")
        for heading, is_whole in _COLUMNS:
            table.add_column(heading, no_wrap=is_whole, overflow="fold")
        table.title = f"Phase {entry.number}: {entry.title}"
        for criterion in entry.criteria:
            table.add_row(*map(Text, _row(criterion)))
        console.print(table)
    return 0


def _row(criterion: Criterion) -> tuple[str, ...]:
    words = criterion.limit.value.replace("_", " ")
    target = "" if criterion.target is None else f"{words} {format_quantity(criterion.target, criterion.unit)}"
    probe = criterion.probe or ("needs AWS" if criterion.needs_aws else "none yet")
    return criterion.id, criterion.title, target, probe, "yes" if criterion.in_quick else "", criterion.seed_ref
