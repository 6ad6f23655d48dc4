"""What a hashed lock file pins, for the interpreter that runs us."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from harness.domain.errors import ConfigurationError

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A distribution and its only version; `lines` is the pin with its hashes, as written."""

    name: str
    version: str
    lines: str


def read_lock(path: Path) -> tuple[Pin, ...]:
    """The pins that apply here, by normalised name, in order.

    Raises:
        ConfigurationError: the file cannot be read, or has a line that is not a pin with hashes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        hint = "Run `make lock`."
        raise ConfigurationError(f"cannot read the lock: {error.strerror}", where=str(path), hint=hint) from error
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    pins = (_read_pin(entry, path) for entry in re.split(r"\n(?=\S)", lines.strip()) if entry)
    return tuple(sorted((pin for pin in pins if pin is not None), key=lambda pin: pin.name))


def normalise_name(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_pin(entry: str, path: Path) -> Pin | None:
    found = _PIN.match(entry)
    if found is None or "--hash=sha256:" not in entry:
        raise ConfigurationError(
            f"not a pin with hashes: {entry.splitlines()[0]!r}", where=str(path), hint="Run `make lock`."
        )
    if found["marker"] and not Marker(found["marker"].strip()).evaluate():
        return None
    return Pin(name=normalise_name(found["name"]), version=found["version"], lines=entry)
