"""Signatures: equal findings meet, the smallest example stands for them."""

from datetime import date

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.signature import Example, curl_pair, group_signatures, signature_of
from tests.builders.records import answer, session, step


def _examples(*sizes: int) -> list[Example]:
    """A session of lists, the element in the middle with a quantity of another type."""
    examples = []
    for n, size in enumerate(sizes):
        mine = [{"id": key, "quantity": 1} for key in range(size)]
        theirs = [{**row, "quantity": "1"} if row["id"] == size // 2 else row for row in mine]
        record = session(step(answer({"rows": mine}), answer({"rows": theirs}), "GET /t", n=n))
        comparison = judge_session(record, Rules(today=date(2026, 2, 4)))[0]
        examples += [Example(comparison, found, record.steps[0].pair) for found in comparison.differences]
    return examples


def test_indices_do_not_part_equal_findings() -> None:
    (group,) = group_signatures(_examples(9, 3, 5))
    assert str(group.signature) == "GET /t | body /rows/*/quantity | type | integer -> string"
    assert group.count == 3
    assert group.example.difference.pointer == "/rows/1/quantity"


def test_signature_is_one_line_whatever_the_names() -> None:
    record = session(step(answer({"a\nb": 1}), answer({"a\nb": 2}), "GET /t"))
    comparison = judge_session(record, Rules(today=date(2026, 2, 4)))[0]
    assert "\n" not in signature_of(comparison.operation, comparison.differences[0])


def test_curl_pair_names_both_sides() -> None:
    legacy, target = curl_pair(_examples(3)[0].pair)
    assert "8001/t" in legacy
    assert "9002/t" in target
