"""The `parakeet.toml` that `init` writes is the settings' own definition, so it cannot say anything else."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
import pytest

from harness.settings import Settings
from harness.wiring.settings_text import render_settings, toml_value

TEXT = render_settings()


def structs(struct: type[msgspec.Struct] = Settings) -> Iterator[type[msgspec.Struct]]:
    """Every table's definition, once."""
    yield struct
    for field in msgspec.structs.fields(struct):
        inner = get_args(field.type)[-1] if get_origin(field.type) in {dict, list} else field.type
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from structs(inner)


def uncommented() -> dict[str, Any]:
    """The text with every example and every key that is not set."""
    return tomllib.loads(re.sub(r"^#(?! )", "", TEXT, flags=re.M))


def test_what_is_written_loads_as_the_defaults() -> None:
    assert msgspec.convert(tomllib.loads(TEXT), Settings) == Settings()


def test_what_is_commented_out_is_valid_too() -> None:
    found = msgspec.convert(uncommented(), Settings)
    assert set(found.environments) == {"NAME"} and set(found.rows.map) == {"NAME"}


@pytest.mark.parametrize("struct", dict.fromkeys(structs()), ids=lambda struct: struct.__name__)
def test_every_key_is_there_with_a_meaning_before_it(struct: type[msgspec.Struct]) -> None:
    lines = TEXT.splitlines()
    for field in msgspec.structs.fields(struct):
        written = [number for number, line in enumerate(lines) if re.match(rf"#?{field.name} = ", line)]
        is_table = re.search(rf"^#?\[+(.*\.)?{field.name}(\.|\])", TEXT, re.M)
        assert written or is_table, f"{field.name} of {struct.__name__} is not in the file"
        assert [lines[number - 1][:2] for number in written] == ["# "] * len(written), (
            f"{field.name} of {struct.__name__} has no docstring in harness/settings.py"
        )


@pytest.mark.parametrize("value", [True, 3, 0.25, 'a "quoted" \\ path\n', ["a", 1], {"a b": {"c": ("d",)}}, {}])
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert msgspec.json.encode(tomllib.loads(f"key = {toml_value(value)}")["key"]) == msgspec.json.encode(value)
