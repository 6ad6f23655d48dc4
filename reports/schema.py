"""JSON Schemas of the files of a run directory, made from the types that read them."""

from pathlib import Path

import msgspec

from harness.domain.coverage import Coverage
from harness.domain.evidence import RunManifest
from harness.domain.findings import ComparisonRecord, DifferenceRecord, WaiverRecord
from harness.domain.measurement import Measurement
from reports.run_directory import DecisionDocument

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[str, type] = {
    "manifest": RunManifest,
    "decision": DecisionDocument,
    "comparisons": ComparisonRecord,
    "differences": DifferenceRecord,
    "measurements": Measurement,
    "waivers": WaiverRecord,
    "coverage": Coverage,
}
Json = dict[str, object]


def build_schemas() -> dict[str, bytes]:
    """The content of every file in `reports/schemas/`; those of JSON Lines files describe one line."""
    return {f"{name}.schema.json": _encode(name, kind) for name, kind in _TYPES.items()}


def _encode(name: str, kind: type) -> bytes:
    (reference,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    if kind is Measurement:
        _allow_infinity(components)
    document: Json = {"$schema": _DRAFT, "title": name, **reference, "$defs": components}
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _allow_infinity(components: Json) -> None:
    """A figure that never came is infinite, which JSON can only write as null."""
    measurement = components["Measurement"]
    assert isinstance(measurement, dict)  # noqa: S101 - msgspec's own shape
    measurement["properties"]["value"] = {"anyOf": [{"type": "number"}, {"type": "null"}]}


def main() -> None:
    """Writes the schemas beside this module: run it after a change of a stored type."""
    directory = Path(__file__).parent / "schemas"
    for name, content in build_schemas().items():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    main()
