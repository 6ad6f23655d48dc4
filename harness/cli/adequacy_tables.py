"""What `parakeet adequacy` prints: two tables, every fault that got through, and the share."""

import sys
from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from harness.domain.adequacy import Adequacy, Fate, tally
from harness.domain.mutation.advice import advise

_FILE_WIDTH = 132
_MAX_OPERATIONS = 3


def print_adequacy(found: Adequacy, threshold: float) -> None:
    """Everything to stdout."""
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(_table("file", tally(found.outcomes, lambda mutant: mutant.path)))
    console.print(_table("operator", tally(found.outcomes, lambda mutant: mutant.operator)))
    for outcome in found.survivors:
        console.print(f"\n{outcome.fate}: {outcome.mutant.id}", markup=False)
        console.print(outcome.diff, markup=False)
        console.print(
            f"  {describe_gap(outcome.operations, outcome.mutant.function, outcome.mutant.operator)}", markup=False
        )
    console.print(_sentence(found, threshold))


def describe_gap(operations: tuple[str, ...], function: str, operator: str) -> str:
    """Where a step is missing, and what it has to do."""
    if operations:
        named = ", ".join(operations[:_MAX_OPERATIONS])
        more = f" and {len(operations) - _MAX_OPERATIONS} more" if len(operations) > _MAX_OPERATIONS else ""
        return f"add a step to {named}{more}: {advise(operator)}"
    place = f"{function} " if function else "this line, which acts when the application is built, "
    return f"no step depends on {place}yet: {advise(operator)}"


def _table(name: str, counts: Mapping[str, Counter[Fate]]) -> Table:
    table = Table()
    table.add_column(name)
    for fate in Fate:
        table.add_column(fate, justify="right")
    for key, fates in counts.items():
        table.add_row(key, *(str(fates[fate]) for fate in Fate))
    table.add_section()
    total = sum(counts.values(), Counter[Fate]())
    table.add_row("all", *(str(total[fate]) for fate in Fate))
    return table


def _sentence(found: Adequacy, threshold: float) -> str:
    if found.killed_ratio is None:
        return "inconclusive: there was no fault to notice"
    killed, judged = found.count(Fate.KILLED), found.judged
    verdict = "adequate" if found.killed_ratio >= threshold else "not adequate"
    share = f"{killed} of {judged} faults noticed ({found.killed_ratio:.1%}; asked for {threshold:.1%})"
    return f"\n{verdict}: {share}; {len(found.outcomes)} drawn of {found.generated} that the source has"
