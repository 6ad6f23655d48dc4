"""What a judged run prints: a table by group, the signatures found most, and what must be done about waivers."""

import sys
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.domain.difference import Outcome
from harness.domain.errors import ExitCode
from harness.wiring.judgement import Judgement

_MAX_SIGNATURES = 10
_MAX_VALUE = 200
_NO_PLACE = "(status)"
_FILE_WIDTH = 132
"""Characters a line where stdout is no terminal, so that headings stay whole in a CI log."""


def exit_code(judgement: Judgement) -> ExitCode:
    """NO_GO on anything unexplained, INCONCLUSIVE where nothing could be compared, else GO."""
    if judgement.is_different:
        return ExitCode.NO_GO
    return ExitCode.GO if judgement.compared else ExitCode.INCONCLUSIVE


def print_judgement(judgement: Judgement) -> None:
    """Counts and signatures to stdout, warnings to stderr."""
    console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(_table(judgement))
    _print_signatures(console, judgement)
    console.print(_sentence(judgement))
    warnings = Console(stderr=True, soft_wrap=True, highlight=False)
    if redacted := judgement.redacted.sentence:
        warnings.print(redacted, markup=False)
    if judgement.quiet_side:
        warnings.print(judgement.quiet_side, markup=False)
    if unused := judgement.unused_waivers:
        count = f"{len(unused)} of {len(judgement.waivers)} waivers explained nothing"
        hint = "remove them, or add the sessions that they are for"
        warnings.print(f"{count}: {', '.join(unused)}; {hint}", markup=False)


def _table(judgement: Judgement) -> Table:
    table = Table()
    table.add_column("group")
    for outcome in Outcome:
        table.add_column(outcome.replace("_", " "), justify="right")
    tallies = judgement.tally.groups
    for group, counts in tallies.items():
        table.add_row(escape(group), *_cells(counts))
    if len(tallies) > 1:
        table.add_section()
        table.add_row("all", *_cells(sum(tallies.values(), Counter())))
    return table


def _cells(counts: Counter[Outcome]) -> list[str]:
    return [str(counts[outcome]) for outcome in Outcome]


def _print_signatures(console: Console, judgement: Judgement) -> None:
    worst = sorted(judgement.tally.signatures.items(), key=lambda item: -item[1].count)
    for signature, found in worst[:_MAX_SIGNATURES]:
        example = found.example
        console.print(f"{found.count} × {signature}", markup=False)
        console.print(f"    at      {example.pointer or _NO_PLACE}", markup=False)
        console.print(f"    legacy  {_shown(example.legacy)}", markup=False)
        console.print(f"    target  {_shown(example.target)}", markup=False)
        place = f"{example.session_id} step {example.step} ({example.name})"
        console.print(f"    in      {place}, finding {example.id}", markup=False)
    if len(worst) > _MAX_SIGNATURES:
        console.print(f"and {len(worst) - _MAX_SIGNATURES} more signatures; all are in differences.jsonl")


def _shown(value: str | None) -> str:
    if value is None:
        return "(absent)"
    return value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}… ({len(value)} characters)"


def _sentence(judgement: Judgement) -> str:
    if judgement.is_different:
        return f"different: {judgement.tally.unexplained} unexplained in {judgement.compared} compared exchanges"
    if judgement.compared:
        return f"no unexplained difference in {judgement.compared} compared exchanges"
    return "inconclusive: nothing could be compared"
