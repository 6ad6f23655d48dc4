"""`parakeet compare`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.findings import exit_code, print_judgement
from harness.settings import load_settings
from harness.wiring.judgement import judge_run
from harness.wiring.rules import load_waivers, rules_of_today


def compare(
    run: Annotated[Path, typer.Option(help="Run directory of an earlier `replay` or `verify`.")],
    waivers: Annotated[Path | None, typer.Option(help="Default: scenarios/waivers.toml")] = None,
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Compare the stored exchanges of a run again, under the rules of today; sends no traffic.

    Writes comparisons.jsonl, differences.jsonl and waivers.jsonl of that run anew. Secrets were replaced when the run
    was stored: they are compared for equality only.

    Exit codes: 0 compared and nothing unexplained, 1 a difference that no waiver explains, 2 the run cannot be read,
    3 nothing comparable.

    Example: parakeet compare --run runs/first
    """
    judgement = judge_run(run, rules_of_today(load_waivers(waivers), load_settings(config).rows))
    print_judgement(judgement)
    return exit_code(judgement)
