"""Which files hold the cached prices, as of one moment."""

from dataclasses import replace

from target.storage.objects import ObjectInfo, ObjectStore
from target.storage.price_field import PriceField
from target.storage.price_generation import FILES, MANIFEST, Generation, decode_manifest, names_absent_files

_SUFFIX = ".parquet"
_TRIES = 5


async def list_price_files(objects: ObjectStore) -> list[ObjectInfo]:
    """Return the files of prices, by key: those of the current generation, under the legacy's names, and all beside.

    The copies that have these names count only where there is no manifest: they follow later, one after the other.

    Raises:
        StorageUnavailable: the store does not answer now.
        UnreadableObject: the manifest is none, or names files that are not there.
    """
    for _ in range(_TRIES):
        beside = {info.key: info for info in await objects.list_top() if info.key.endswith(_SUFFIX)}
        # Asked after what lies there was seen: so a cache that is written for the first time is never told in part.
        manifest = await objects.find(MANIFEST)
        if manifest is None:
            return list(beside.values())
        own = await _files_of(decode_manifest(manifest), objects)
        if len(own) == len(FILES):
            told = beside | own
            return [told[key] for key in sorted(told)]
    raise names_absent_files(objects.location)


async def _files_of(generation: Generation, objects: ObjectStore) -> dict[str, ObjectInfo]:
    """Its files by the legacy's names; fewer where a newer generation has replaced it."""
    present = {info.key: info for info in await objects.list_objects(generation.folder)}
    keys = {FILES[which]: generation.key(which) for which in PriceField}
    return {name: replace(present[key], key=name) for name, key in keys.items() if key in present}
