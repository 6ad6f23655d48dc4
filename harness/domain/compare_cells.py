"""Two cells against each other, under the types that their columns declare."""

from harness.domain.cell_values import Family, cell_value, families_of, numeric_value
from harness.domain.difference import DifferenceKind
from harness.domain.rows import Cell

_PLAIN = frozenset({type(None), int, float, str})
_NUMBERS = frozenset({"int", "float", "decimal"})


def compare_cells(
    legacy: Cell, target: Cell, *, legacy_type: str | Family = "", target_type: str | Family = ""
) -> DifferenceKind | None:
    """How two cells differ under their declared types, None if they mean the same.

    NULL, '' and false are three things. 0 and 1 in a BOOLEAN column are booleans. Times are compared as instants,
    to the microsecond. Floats are compared by their bits, a number against a DECIMAL by its text.
    """
    if type(legacy) is type(target) in _PLAIN and legacy == target and legacy != 0:
        return None  # the common case, cheaply; zero has a sign
    legacy_family, target_family = _families(legacy_type, target_type)
    legacy_value, target_value = cell_value(legacy, legacy_family), cell_value(target, target_family)
    if legacy_value == target_value:
        return None
    if {legacy_value[0], target_value[0]} <= _NUMBERS:
        is_decimal = Family.DECIMAL in {legacy_family, target_family}
        return _compare_numbers(legacy, target, by_value=is_decimal)
    return DifferenceKind.VALUE if legacy_value[0] == target_value[0] else DifferenceKind.TYPE


def _families(legacy_type: str | Family, target_type: str | Family) -> tuple[Family, Family]:
    if isinstance(legacy_type, Family) and isinstance(target_type, Family):
        return legacy_type, target_type
    return families_of(str(legacy_type), str(target_type))


def _compare_numbers(legacy: Cell, target: Cell, *, by_value: bool) -> DifferenceKind | None:
    ours, theirs = numeric_value(legacy), numeric_value(target)
    if ours != theirs or (type(legacy) is type(target) and not by_value):
        return DifferenceKind.VALUE
    return None if by_value else DifferenceKind.REPRESENTATION
