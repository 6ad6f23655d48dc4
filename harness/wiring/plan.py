"""The plan that the judged project is decided by."""

from harness.domain.errors import ConfigurationError
from harness.domain.evidence import RunManifest
from harness.domain.phase import REPLAY_PROFILE, Plan
from harness.settings import judged_directory
from harness.wiring.paths import CRITERIA
from scenarios.criteria import load_plan


def judged_plan() -> Plan:
    """The phases and criteria of the judged project; none where it has no `scenarios/criteria.toml`.

    Raises:
        ConfigurationError: the file is malformed.
    """
    path = judged_directory() / CRITERIA
    return load_plan(path) if path.is_file() else Plan(phases=())


def require_criteria() -> None:
    """Nothing, where the judged project has criteria.

    Raises:
        ConfigurationError: it has none.
    """
    path = judged_directory() / CRITERIA
    if not path.is_file():
        hint = "Without criteria `parakeet replay` decides by what it compares; `parakeet gate --run DIR` shows it."
        raise ConfigurationError("this project has no criteria", where=str(path), hint=hint)


def require_criteria_of(manifest: RunManifest) -> None:
    """Nothing, where the run can be decided again here; a replay always can: its comparisons are its decision.

    Raises:
        ConfigurationError: it was decided by criteria that the judged project does not have.
    """
    known = {criterion.id for criterion in judged_plan().criteria}
    missing = [name for name in manifest.required_criteria if name not in known]
    if missing and manifest.profile != REPLAY_PROFILE:
        hint = "Run this in the directory of the project whose run it is."
        what = f"the run was decided by {len(missing)} criteria that this project does not have, such as {missing[0]}"
        raise ConfigurationError(what, where=str(judged_directory() / CRITERIA), hint=hint)
