"""`parakeet gate`: the decision of a run, alone."""

from pathlib import Path
from typing import Annotated

import typer


def gate(
    run: Annotated[Path, typer.Option("--run", help="The run directory.")],
    phase: Annotated[int | None, typer.Option("--phase", help="Only this phase.")] = None,
) -> int:
    """Print a run's decision; exits with 0 for GO, 1 for NO-GO, 3 for INCONCLUSIVE.

    Example: parakeet gate --run artifacts/20260314T092653Z-4f1c2a9 --phase 1
    """
    from harness.domain.gate import EXIT_CODES  # noqa: PLC0415 - kept with its one user
    from harness.wiring.report import stored_gate  # noqa: PLC0415 - readers load only when this command runs
    from reports.view import DECISION_WORDS  # noqa: PLC0415

    decision = stored_gate(run, phase)
    print(DECISION_WORDS[decision])
    return int(EXIT_CODES[decision])
