"""What `[rows]` says: how the target's tables, columns and values differ from the legacy's by intent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """How one legacy table is found on the target; what is not named keeps its name and its values.

    `columns`, `enums` and `units` go by the legacy's column names. `added` maps a target column to its rule: `null`,
    `any`, `column NAME` (a legacy column) or `= LITERAL`.
    """

    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    enums: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    dropped: Collection[str] = ()
    """Legacy columns that the target does without, by intent."""
    is_added: bool = False
    """Only the target has the table, by intent."""
    is_dropped: bool = False
    """Only the legacy has the table, by intent."""


RowMapping = Mapping[str, TableMapping]
"""By legacy table, and by target table where only the target has it."""


def target_table(legacy_table: str, mapping: RowMapping) -> str:
    """The target's name of a legacy table."""
    mapped = mapping.get(legacy_table)
    return (mapped.table if mapped else None) or legacy_table


def carried_tables(legacy: Collection[str], mapping: RowMapping) -> list[str]:
    """The legacy's tables but those that are dropped by intent, in the order of their names."""
    return sorted(name for name in legacy if name not in mapping or not mapping[name].is_dropped)
