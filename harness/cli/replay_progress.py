"""What every replay ends with: what was judged of it, and its report."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.cli.findings import print_judgement
from harness.cli.progress import Tell, lines_now_and_then, shown_progress
from harness.domain.compare.rules import Rules
from harness.wiring.judgement import Judgement, judge_run
from harness.wiring.rejudge import render_judged
from reports import html

_BYTES_PER_MB = 1_000_000


def judge_and_print(out: Path, rules: Rules) -> Judgement:
    """Judges what is stored with a progress bar, prints it and renders the report."""
    with shown_progress("comparing", "sessions") as show:
        judgement = judge_run(out, rules, lambda done: show(done, None))
    print_judgement(judgement)
    render_judged(out, judgement, rules)
    Console(soft_wrap=True, highlight=False).print(f"report: {out / html.FILE_NAME}", markup=False)
    return judgement


def reading_told() -> Callable[[Path, int, int], None]:
    """A line now and then about a large HAR that is looked through; takes bytes."""
    tells: dict[Path, Tell] = {}

    def tell(path: Path, done: int, size: int) -> None:
        if path not in tells:
            tells[path] = lines_now_and_then(f"reading {path.name}", "MB")
        tells[path](done // _BYTES_PER_MB, size // _BYTES_PER_MB)

    return tell
