"""One generation of the cached prices: where its two files are and what they cover, as its manifest says.

Source: docs/storage.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from target.storage.coverage import Coverage
from target.storage.objects import StoredObject, UnreadableObject
from target.storage.price_field import PriceField

MANIFEST = "us_prices.json"
"""The one object whose replacement makes a generation the current one."""
FILES = {PriceField.CLOSE: "us_prices_close.parquet", PriceField.OPEN: "us_prices_open.parquet"}
"""The legacy's names: its own files where there is no manifest, else copies of the current generation's."""
FOLDER = "generations/"
_FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """Two files that are never written again; `etag` is the manifest's, None where there is no manifest."""

    id: str = ""
    """Empty for the legacy's own two files."""
    etag: str | None = None
    coverage: Mapping[str, Coverage] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """What the keys of its files begin with."""
        return f"{FOLDER}{self.id}/" if self.id else ""

    def key(self, which: PriceField) -> str:
        """Return the key of one of its files."""
        return self.folder + FILES[which]

    def owns(self, key: str) -> bool:
        """True for the keys of its files."""
        return key in (self.key(which) for which in PriceField)


def encode_manifest(generation: Generation) -> bytes:
    """Return the manifest that makes this generation the current one."""
    coverage = {
        ticker: [days.first.isoformat(), days.last.isoformat(), days.asked_until.isoformat(), days.asked_at.isoformat()]
        for ticker, days in sorted(generation.coverage.items())
    }
    document = {"format_version": _FORMAT_VERSION, "generation": generation.id, "coverage": coverage}
    return json.dumps(document, separators=(",", ":")).encode()


def decode_manifest(stored: StoredObject) -> Generation:
    """Return the generation that a manifest names.

    Raises:
        UnreadableObject: it is no manifest, or of a version that this release does not know.
    """
    try:
        document = json.loads(stored.body)
        if document["format_version"] != _FORMAT_VERSION:
            raise ValueError(f"format {document['format_version']}")
        coverage = {ticker: _coverage(*entry) for ticker, entry in document["coverage"].items()}
        return Generation(id=str(document["generation"]), etag=stored.etag, coverage=coverage)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableObject(
            f"{stored.key} is no manifest of format {_FORMAT_VERSION} ({error}): restore it, or remove it, and the "
            "two files that lie beside it are taken for the whole cache"
        ) from error


def names_absent_files(location: str) -> UnreadableObject:
    """Return the error for a manifest whose files are not there, and no newer one in its place."""
    return UnreadableObject(
        f"{MANIFEST} in {location} names files that are not there: restore them, or remove it, and the two files that "
        "lie beside it are taken for the whole cache"
    )


def _coverage(first: str, last: str, asked_until: str, asked_at: str) -> Coverage:
    return Coverage(
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        asked_until=date.fromisoformat(asked_until),
        asked_at=datetime.fromisoformat(asked_at),
    )
