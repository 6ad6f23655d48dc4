"""Secrets in the tables that stored objects hold."""

from dataclasses import replace

from harness.domain.difference import Difference
from harness.domain.pointer import parse_pointer
from harness.domain.redaction import Redactor
from harness.domain.secret_names import is_secret_name

_NULL = "null"


def redact_object_difference(difference: Difference, redactor: Redactor) -> Difference:
    """A difference between objects as it may be shown: `/key/column/row` under a secret column tells no value.

    Values that differed still do, and null stays null. The row's label is not looked at.
    """
    _, *within = parse_pointer(difference.pointer)
    if len(within) < 2 or not is_secret_name(within[0]):
        return difference
    return replace(difference, legacy=_hidden(difference.legacy, redactor), target=_hidden(difference.target, redactor))


def _hidden(text: str | None, redactor: Redactor) -> str | None:
    return text if text is None or text == _NULL else redactor.secret(text)
