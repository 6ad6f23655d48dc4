"""Zip archives that depend on their content alone."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_COMPRESSION_LEVEL = 6


def write_archive(root: Path, archive: Path) -> None:
    """Zips all files under `root`: sorted, one fixed time and mode, so that equal trees give equal bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as target:
        for path in sorted(root.rglob("*"), key=lambda found: found.relative_to(root).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), date_time=_EPOCH)
                entry.external_attr = _REGULAR_FILE
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3  # Unix, whatever built it
                target.writestr(entry, path.read_bytes())


def sizes_by_package(archive: Path) -> Mapping[str, int]:
    """Unzipped bytes by top-level package (below `python/` in a layer), biggest first."""
    sizes: dict[str, int] = {}
    with zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            package = _package_of(entry.filename)
            sizes[package] = sizes.get(package, 0) + entry.file_size
    return dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _package_of(name: str) -> str:
    """`sqlalchemy` for a file of the package, of its metadata, or for the bytecode of a module of that name."""
    first = next(part for part in name.removeprefix("python/").split("/") if part != "__pycache__")
    return first.partition("-" if first.endswith(".dist-info") else ".")[0]


def file_sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
