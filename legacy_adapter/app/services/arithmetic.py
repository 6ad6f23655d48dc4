"""Sums as the recorded application makes them."""

from collections.abc import Iterable
from functools import reduce
from operator import add


def sum_in_order(values: Iterable[float]) -> float:
    """Left to right in plain double precision.

    LEGACY-PARITY: the built-in `sum` compensates for rounding from Python 3.12 on; the recording was made before.
    """
    return reduce(add, values, 0)
