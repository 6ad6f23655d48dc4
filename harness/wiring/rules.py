"""The rules that exchanges are judged under today."""

from datetime import UTC, datetime
from pathlib import Path

from harness.domain.compare.cells import RowMapping
from harness.domain.compare.rules import Rules
from harness.domain.errors import ConfigurationError
from harness.domain.waiver import Waiver, parse_waivers
from harness.settings import RowsSettings, judged_directory

DEFAULT_WAIVERS = "scenarios/waivers.toml"


def load_waivers(path: Path | None) -> tuple[Waiver, ...]:
    """The waivers of a file, or of the judged project where none is named; none where that is absent.

    Raises:
        ConfigurationError: the file named cannot be read.
        WaiverError: it is malformed, or a waiver hides more than it says.
    """
    found = waiver_file(path)
    if found is None:
        return ()
    try:
        text = found.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "Give a readable TOML file, or leave --waivers out."
        raise ConfigurationError(f"cannot read the waivers: {error}", where=str(found), hint=hint) from error
    return parse_waivers(text, source=str(found))


def waiver_file(path: Path | None) -> Path | None:
    """The file that `load_waivers` reads."""
    default = judged_directory() / DEFAULT_WAIVERS
    return path or (default if default.is_file() else None)


def rules_of_today(waivers: tuple[Waiver, ...], rows: RowsSettings) -> Rules:
    """The rules of the project with these waivers; a waiver may have expired since the run."""
    return Rules(today=datetime.now(UTC).date(), waivers=waivers, row_mapping=judged_mapping(rows))


def judged_mapping(rows: RowsSettings) -> RowMapping:
    """`[rows]` as the judgement takes it."""
    tables = {name: each.table or name for name, each in rows.map.items()}
    return RowMapping(
        tables=tables,
        columns={f"{name}.{old}": new for name, each in rows.map.items() for old, new in each.columns.items()},
        added=frozenset(
            [*rows.added, *(f"{tables[name]}.{column}" for name, each in rows.map.items() for column in each.added)]
        ),
        enums={f"{name}.{column}": texts for name, each in rows.map.items() for column, texts in each.enums.items()},
        units={f"{name}.{column}": unit for name, each in rows.map.items() for column, unit in each.units.items()},
        fills={
            f"{tables[name]}.{column}": rule for name, each in rows.map.items() for column, rule in each.added.items()
        },
        dropped=frozenset(
            [*rows.dropped, *(f"{name}.{old}" for name, each in rows.map.items() for old in each.dropped)]
        ),
    )


def waiver_pattern(waiver: Waiver) -> str:
    """What a waiver matches, as one line of text."""
    match = waiver.match
    parts = [" or ".join(match.operations), match.event and f"event {match.event}"]
    parts += [f"{name} {value!r}" for name, value in (("query", match.query), ("headers", match.headers)) if value]
    if match.body is not None:
        parts.append(f"body {match.body!r}")
    parts += [", ".join(match.pointers)]
    return " · ".join(part for part in parts if part)
