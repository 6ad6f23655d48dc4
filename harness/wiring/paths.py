"""Where the parts of the judged project lie, and which of them are there."""

from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.settings import FILE_NAME, judged_directory, project_root

CRITERIA = "scenarios/criteria.toml"
_NEEDED_TO_STAND_UP = (CRITERIA, "terraform")


def terraform_directory() -> Path:
    """The description of the target's cloud."""
    return project_root() / "terraform"


def scenarios_directory() -> Path:
    """Sessions, waivers, criteria and load of the judged migration."""
    return judged_directory() / "scenarios"


def artifacts_directory() -> Path:
    """Run output, one directory a run; git-ignored."""
    return judged_directory() / "artifacts"


def require_own_systems() -> None:
    """Nothing, where both systems of the judged project can be stood up here.

    Raises:
        ConfigurationError: it is another project than this checkout's; says which parts it lacks.
    """
    directory = judged_directory()
    missing = [part for part in _NEEDED_TO_STAND_UP if not (directory / part).exists()]
    if missing:
        hint = (
            "Start your two systems yourself: `parakeet replay --legacy-url U --target-url U --out DIR` compares and"
            f" decides. To stand up those of {project_root()} under this configuration, go there and say"
            f" --config {directory / FILE_NAME}."
        )
        what = f"this project's systems cannot be stood up: it has no {' and no '.join(missing)}"
        raise ConfigurationError(what, where=str(directory), hint=hint)
