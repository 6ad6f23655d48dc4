"""How a method's name is meant; apart from the methods, so that whoever reads settings needs no numpy."""

from enum import StrEnum


class AllocationMode(StrEnum):
    """COMPAT: as the legacy runs, for want of an optimiser: HRP and MVO are inverse volatility, other names too.

    EXACT: as the name says. Source: docs/adr/0005, weights of backtests.
    """

    COMPAT = "compat"
    EXACT = "exact"
