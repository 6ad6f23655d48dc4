"""What every replay shows: a bar of its sessions, then what was judged of them."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from harness.cli.findings import print_judgement
from harness.domain.compare.rules import Rules
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.rejudge import render_judged
from reports import html


def judge_and_print(out: Path, rules: Rules) -> Judgement:
    """Judges what is stored, prints it and renders the report."""
    judgement = judge_run(out, rules)
    print_judgement(judgement)
    render_judged(out, judgement, rules)
    Console(soft_wrap=True, highlight=False).print(f"report: {out / html.FILE_NAME}", markup=False)
    return judgement


def progress() -> Progress:
    """A bar on stderr that goes when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("sessions"))
    return Progress(*columns, console=Console(stderr=True), transient=True)
