"""Builds layers: pinned distributions below `python/`, without what no function reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.staging.artifact_cache import ArtifactCache, BuiltArtifact
from harness.staging.distributions import collect_distributions
from harness.staging.lock_file import Pin, read_lock
from harness.staging.platforms import LambdaPlatform

MAIN_LAYER = "dependencies"
_KEEP = "!"
# Lambda's own runtime brings these: they run our functions locally and are not deployed.
_RUNTIME_DISTRIBUTIONS = frozenset(("awslambdaric", "simplejson", "snapshot-restore-py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInputs:
    """What a layer is made of; `without` are patterns of paths in it, whose `*` spans folders.

    The last pattern that matches a path decides: one that begins with `!` keeps what an earlier one left out.
    """

    name: str
    pins: tuple[Pin, ...]
    without: tuple[str, ...] = ()
    without_file: Path | None = None


def read_layers(lock: Path, further_locks: Iterable[Path]) -> tuple[LayerInputs, ...]:
    """The main layer of `lock`, and one of each further lock: `lambda-frames.txt` is that of `frames`.

    Beside a lock, `lambda-frames.without` says what of its files is left out, a pattern a line.

    Raises:
        ConfigurationError: a lock cannot be used.
    """
    main = (MAIN_LAYER, lock)
    named = [(further.stem.partition("-")[2], further) for further in further_locks]
    return tuple(_read_layer(name, path) for name, path in (main, *named))


def build_layer(cache: ArtifactCache, layer: LayerInputs, platform: LambdaPlatform) -> BuiltArtifact:
    """The layer's artifact; only a layer whose pins or patterns are new is built.

    Raises:
        ConfigurationError: a distribution cannot be had, or a pattern of what is left out matches nothing.
    """

    def fill(staged: Path) -> str:
        origin = collect_distributions(layer.pins, staged / "python", platform)
        left_out = _trim(staged / "python", layer)
        trimmed = f", {left_out / 1e6:.0f} MB left out" if left_out else ""
        return f"{len(layer.pins)} distributions, {origin}{trimmed}"

    return cache.get_or_build(layer.name, "\n".join((*_lines(layer.pins), *layer.without)), fill)


def build_runtime(cache: ArtifactCache, lock: Path, platform: LambdaPlatform) -> BuiltArtifact:
    """What Lambda itself would bring, from the same lock; not part of any deployment.

    Raises:
        ConfigurationError: as `build_layer`.
    """
    pins = tuple(pin for pin in read_lock(lock) if pin.name in _RUNTIME_DISTRIBUTIONS)

    def fill(staged: Path) -> str:
        return f"{len(pins)} distributions, {collect_distributions(pins, staged, platform)}"

    return cache.get_or_build("runtime", "\n".join(_lines(pins)), fill)


def _read_layer(name: str, lock: Path) -> LayerInputs:
    without_file = lock.with_suffix(".without")
    lines = without_file.read_text(encoding="utf-8").splitlines() if without_file.exists() else []
    patterns = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    pins = tuple(pin for pin in read_lock(lock) if pin.name not in _RUNTIME_DISTRIBUTIONS)
    return LayerInputs(name=name, pins=pins, without=patterns, without_file=without_file)


def _lines(pins: Sequence[Pin]) -> tuple[str, ...]:
    return tuple(pin.lines for pin in pins)


def _trim(root: Path, layer: LayerInputs) -> int:
    """Removes the files that are left out; returns their bytes."""
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    unwanted: set[str] = set()
    for pattern in layer.without:
        matching = {name for name in found if fnmatchcase(name, pattern.removeprefix(_KEEP))}
        if not matching:
            hint = "Remove the pattern, or correct it for the version that the lock pins."
            what = f"the pattern {pattern} matches nothing in the layer {layer.name}"
            raise ConfigurationError(what, where=str(layer.without_file), hint=hint)
        unwanted = unwanted - matching if pattern.startswith(_KEEP) else unwanted | matching
    size = sum(found[name].stat().st_size for name in unwanted)
    for name in unwanted:
        found[name].unlink()
    return size
