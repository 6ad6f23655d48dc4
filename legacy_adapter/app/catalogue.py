"""The data files that ship with the application, read once."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@lru_cache
def load_data(name: str) -> Any:
    """The parsed `<name>.json`; callers must not change it."""
    return json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
