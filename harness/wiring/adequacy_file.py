"""The file `adequacy.json`: every fault with what became of it."""

import os
from pathlib import Path

import orjson

from harness.adapters.evidence_store import write_atomically
from harness.domain.adequacy import Adequacy, Fate, MutantOutcome
from harness.domain.errors import ConfigurationError, unwritable
from harness.domain.mutation.advice import advise

FILE_NAME = "adequacy.json"
FORMAT_VERSION = 1


def write_adequacy(found: Adequacy, directory: Path, *, seed: int, threshold: float) -> Path:
    """Writes the file into the directory; returns its path."""
    document = {
        "format_version": FORMAT_VERSION,
        "seed": seed,
        "threshold": threshold,
        "killed_ratio": found.killed_ratio,
        "generated": found.generated,
        "drawn": len(found.outcomes),
        "counts": {fate.value: found.count(fate) for fate in Fate},
        "unsteady_sessions": found.unsteady,
        "disproved_exemptions": found.disproved,
        "mutants": [_outcome(outcome) for outcome in found.outcomes],
    }
    write_atomically(directory / FILE_NAME, orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return directory / FILE_NAME


def prepare_directory(directory: Path) -> Path:
    """Makes the directory where there is none, before work is done that would be lost.

    Raises:
        ConfigurationError: it cannot be made or written to.
    """
    hint = "Give a directory that can be written to with --out."
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error, where=str(directory), hint=hint, what="cannot write there") from error
    if not os.access(directory, os.W_OK):
        raise ConfigurationError("cannot write there", where=str(directory), hint=hint)
    return directory


def _outcome(outcome: MutantOutcome) -> dict[str, object]:
    mutant = outcome.mutant
    told: dict[str, object] = {
        "id": mutant.id,
        "file": mutant.path,
        "line": mutant.line,
        "operator": mutant.operator,
        "function": mutant.function,
        "code": mutant.code,
        "becomes": mutant.edit.text,
        "fate": outcome.fate.value,
        "diff": outcome.diff,
        "operations": outcome.operations,
    }
    if outcome.fate is Fate.KILLED:
        return told | {"session": outcome.session, "step": outcome.step, "seen": outcome.seen}
    if outcome.fate is Fate.EQUIVALENT:
        return told | {"reason": outcome.reason}
    return told | {"add": advise(mutant.operator)}
