"""A directory of files as the source of objects: read, never written."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.domain.objects import fits
from harness.uninterrupted import run_to_its_end


class ObjectDirectory:
    """The files below `root` whose relative path fits one of `patterns`, where `*` spans folders too."""

    def __init__(self, root: Path, patterns: Sequence[str]) -> None:
        self._root = root
        self._patterns = tuple(patterns)

    async def read(self) -> Mapping[str, bytes]:
        """Every file's content by its path relative to the directory.

        Raises:
            ConfigurationError: the directory, or a file in it, cannot be read.
        """
        return await run_to_its_end(asyncio.to_thread(self._read))

    def _read(self) -> dict[str, bytes]:
        if not self._root.is_dir():
            hint = "Give the directory that the legacy keeps its cache in."
            raise ConfigurationError("there is no such directory", where=str(self._root), hint=hint)
        try:
            paths = sorted(path for path in self._root.rglob("*") if path.is_file())
            keys = {path.relative_to(self._root).as_posix(): path for path in paths}
            return {key: path.read_bytes() for key, path in keys.items() if fits(key, self._patterns)}
        except OSError as error:
            raise ConfigurationError(
                f"a file of the legacy cannot be read: {error.strerror}",
                where=str(error.filename or self._root),
                hint="Check that we may read it.",
            ) from error
