"""P1.1: the target's migrations go up, match the models, go down and up again, on both databases."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.child import Child
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.settings import project_root
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_TIMEOUT_S = 90.0
# Alembic's own commands in one process: each import of the target costs more than the migration.
_PROGRAM = """
from alembic import command
from alembic.config import Config
config = Config(toml_file="pyproject.toml")
for step in (command.upgrade, command.check, command.downgrade, command.upgrade, command.check):
    arguments = {command.upgrade: ("head",), command.downgrade: ("base",), command.check: ()}[step]
    print("step", step.__name__, flush=True)
    step(config, *arguments)
print("round trip complete")
"""


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Round trips on a fresh SQLite file and a fresh PostgreSQL database; the logs are the evidence."""
    directory = context.temporary_directory("migrations")
    sqlite = {"USE_NEON": "false", "DATABASE_URL": f"sqlite:///{directory / 'fresh.db'}"}
    dsn = await context.pair.postgres.create_database("probe_migrations")
    checks = []
    texts = {}
    for name, variables in (("SQLite", sqlite), ("PostgreSQL", {"USE_NEON": "true", "NEON_DATABASE_URL": dsn})):
        log = directory / f"{name.lower()}.log"
        check = await _round_trip(name, variables, log)
        checks.append(check)
        texts[name] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    path = context.write_evidence("migrations", texts)
    return evidence_for_all(criteria, checks=checks, paths=[path])


async def _round_trip(name: str, variables: dict[str, str], log: Path) -> Check:
    environment = {"PATH": os.defpath, **variables}
    child = Child.start(
        [sys.executable, "-c", _PROGRAM], name="alembic", log_path=log, cwd=project_root(), env=environment
    )
    try:
        status = await child.wait(timeout_s=_TIMEOUT_S)
    finally:
        await child.stop()
    title = f"upgrade, check, downgrade, upgrade and check on {name}"
    return Check(name=title, passed=status == 0, detail="" if status == 0 else child.tail(4))
