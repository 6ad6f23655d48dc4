"""A table of the legacy and the one of the target that answers for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.pointer import join_pointer
from harness.domain.row_mapping import TableMapping
from harness.domain.schema.facts import DatabaseKind, TableFacts
from harness.domain.schema.forms import Naming


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Both tables; `tables` tells the target's name of every legacy table."""

    legacy: TableFacts
    target: TableFacts
    mapping: TableMapping
    tables: Mapping[str, str]
    kinds: tuple[DatabaseKind, DatabaseKind]

    @property
    def name(self) -> str:
        """The table, as the legacy calls it."""
        return self.legacy.name

    @property
    def naming(self) -> tuple[Naming, Naming]:
        """How the texts of the legacy are read, and those of the target."""
        flags = frozenset(each.name.lower() for each in self.target.columns if each.declared_type == "boolean")
        names = {name.lower(): new.lower() for name, new in self.mapping.columns.items()}
        return Naming(names=names, flags=flags), Naming(flags=flags)

    @property
    def is_from_sqlite(self) -> bool:
        """Whether two kinds of database are compared, and so meanings instead of spellings."""
        return self.kinds[0] is DatabaseKind.SQLITE

    def renamed(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Columns of the legacy as the target calls them."""
        return tuple(self.mapping.columns.get(name, name) for name in columns)


def difference(place: tuple[str, ...], kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    """One place where the two declare something else."""
    return Difference(facet=Facet.SCHEMA, pointer=join_pointer(place), kind=kind, legacy=legacy, target=target)
