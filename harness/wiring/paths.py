"""Where the project's own parts lie."""

from pathlib import Path

from harness.settings import project_root


def terraform_directory() -> Path:
    """The description of the target's cloud."""
    return project_root() / "terraform"


def scenarios_directory() -> Path:
    """Sessions, waivers, criteria and load of this migration."""
    return project_root() / "scenarios"


def artifacts_directory() -> Path:
    """Run output, one directory a run; git-ignored."""
    return project_root() / "artifacts"
