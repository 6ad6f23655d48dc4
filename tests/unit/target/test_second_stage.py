"""Our rules refuse in the words and places that FastAPI has for its own."""

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter

from target.routers.second_stage import hold_to
from target.schemas.fields import PositiveFigure
from target.schemas.trades import TradeUpdate

UPDATE = TypeAdapter(TradeUpdate)
FIGURE = TypeAdapter(PositiveFigure)
STRICTER = [
    {"status": None},
    {"exit_price": float("inf")},
    {"exit_price": 1e200},
    {"notes": "\x00"},
    {"notes": "\ud800"},
]


@pytest.mark.parametrize("told", STRICTER)
def test_the_first_stage_accepts_what_the_second_refuses(told: dict[str, object]) -> None:
    assert TradeUpdate.model_validate(told).model_dump(exclude_unset=True) == told
    with pytest.raises(RequestValidationError) as raised:
        hold_to(UPDATE, told, "body")
    (entry,) = raised.value.errors()
    assert entry["loc"] == ("body", *told)
    assert entry["input"] == next(iter(told.values()))
    assert "url" not in entry


def test_a_refusal_repeats_what_was_sent_at_its_place() -> None:
    with pytest.raises(RequestValidationError) as raised:
        hold_to(FIGURE, "1e200", "query", "exit_price")
    assert raised.value.errors() == [
        {
            "type": "less_than_equal",
            "loc": ("query", "exit_price"),
            "msg": "Input should be less than or equal to 1e+150",
            "input": "1e200",
            "ctx": {"le": 1e150},
        }
    ]


@pytest.mark.parametrize(
    "told", [{}, {"status": "OPEN"}, {"exit_price": 1e150, "notes": None}, {"exit_price": None, "exit_date": None}]
)
def test_what_our_rules_allow_passes_and_means_the_same(told: dict[str, object]) -> None:
    assert hold_to(UPDATE, told, "body") == TradeUpdate.model_validate(told)
    assert hold_to(UPDATE, told, "body").model_dump(exclude_unset=True) == told
