"""What makes two findings the same finding: endpoint, normalised pointer, kind and the pair of types."""

import json

from harness.domain.difference import Difference, Facet
from harness.domain.pointer import PointerError, join_pointer, parse_pointer

_ROW_KEY_AT = 1
_ABSENT = "absent"
_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def signature_of(operation: str, difference: Difference) -> str:
    """One line of text; positions in lists and keys of rows do not take part.

    Source: design §5, "Signature".
    """
    pointer = normalised_pointer(difference)
    types = f"{json_type(difference.legacy)}→{json_type(difference.target)}"
    return " ".join(part for part in (operation, difference.facet, pointer, difference.kind, types) if part)


def normalised_pointer(difference: Difference) -> str:
    """The pointer with list positions, and the keys of rows, replaced by `*`."""
    if difference.facet is Facet.HEADER:
        return difference.pointer
    try:
        tokens = parse_pointer(difference.pointer)
    except PointerError:
        return difference.pointer
    if difference.facet is Facet.ROW:
        return join_pointer("*" if at == _ROW_KEY_AT else token for at, token in enumerate(tokens))
    return join_pointer("*" if token.isdigit() else token for token in tokens)


def json_type(text: str | None) -> str:
    """The JSON type of a value's text; `absent` for none, `text` for what is not JSON."""
    if text is None:
        return _ABSENT
    try:
        value = json.loads(text)
    except ValueError:
        return "text"
    return "null" if value is None else _JSON_TYPES[type(value)]
