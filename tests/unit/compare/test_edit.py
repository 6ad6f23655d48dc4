"""Pairing two unequal stretches of lists, at every size of both."""

import pytest

from harness.domain.compare.edit import pair_by_likeness


@pytest.mark.parametrize("size", range(1, 30))
@pytest.mark.parametrize("others", [0, 1, 2, 7])
def test_every_element_is_paired_or_left_over_once(size: int, others: int) -> None:
    first, second = list(range(size)), [f"text {n}" for n in range(others)]
    pairs = pair_by_likeness(first, second, range(size), range(others))
    assert [i for i, _ in pairs if i is not None] == list(range(size))
    assert [j for _, j in pairs if j is not None] == list(range(others))
    turned = pair_by_likeness(second, first, range(others), range(size))
    assert [j for _, j in turned if j is not None] == list(range(size))
