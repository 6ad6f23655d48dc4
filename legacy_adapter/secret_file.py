"""A token secret in a file that only we can read."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, value: str | None = None) -> str:
    """Writes `value`, or a random secret of 256 bits, with mode 0600, and returns it."""
    secret = value or secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # an older file may have a wider mode
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secret)
    return secret
