"""Free text of an order: our bound holds at its edge, and not a character before."""

import pytest
from pydantic import TypeAdapter, ValidationError

from target.schemas.fields import LONGEST_TEXT, SECOND_STAGE, StorableText

_TEXT: TypeAdapter[str] = TypeAdapter(StorableText)


def test_the_longest_text_is_taken_as_it_is():
    assert _TEXT.validate_python("x" * LONGEST_TEXT, context=SECOND_STAGE) == "x" * LONGEST_TEXT


@pytest.mark.parametrize(("text", "kind"), [("x" * (LONGEST_TEXT + 1), "string_too_long"), ("a\0b", "nul_character")])
def test_a_longer_text_and_a_nul_are_refused(text: str, kind: str):
    with pytest.raises(ValidationError) as refused:
        _TEXT.validate_python(text, context=SECOND_STAGE)
    assert [error["type"] for error in refused.value.errors()] == [kind]
