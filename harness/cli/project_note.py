"""Says whose rules are used where the working directory has none of its own."""

from pathlib import Path

from rich.console import Console

from harness.settings import FILE_NAME, judged_directory


def tell_whose_rules() -> None:
    """A note on stderr where settings, sessions and waivers are not of the working directory."""
    judged = judged_directory()
    if judged != Path.cwd():
        text = f"note: no {FILE_NAME} here, so settings, sessions and waivers of {judged} are used; `parakeet init`"
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"{text} writes your own", markup=False)
