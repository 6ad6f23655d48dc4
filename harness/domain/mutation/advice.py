"""What a session has to do to notice a kind of fault."""

from collections.abc import Mapping
from types import MappingProxyType

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "drop_order_by": "list rows whose order of insertion is not the order asked for",
        "drop_order_by_part": "list rows that are equal in the other sort keys, without declaring the tie open",
        "drop_sort": "ask for values that are not stored in the order of the answer",
        "flip_sort": "list rows that are equal in the other sort keys, without declaring the tie open",
        "flip_nulls_order": "sort by a column that is null in some rows, in both directions",
        "drop_nulls_order": "sort by a column that is null in some rows, in both directions",
        "drop_where": "read after adding a row that the condition must keep out",
        "drop_where_part": "read after adding a row that this one condition must keep out",
        "drop_limit": "read a page that is not the last one",
        "change_limit": "read a page that is not the last one",
        "drop_offset": "read a second page",
        "change_offset": "read a second page",
        "drop_commit": "read back in a later step what this step writes",
        "drop_call": "read back in a later step what this call is for",
        "flip_comparison": "send the value exactly at the boundary, and the ones beside it",
        "skip_bound": "send the value just beyond the bound, and the one at it",
        "skip_validation": "send what must be refused here",
        "drop_raise": "send what must be refused here",
        "change_number": "send or read a value for which one more makes a difference",
        "change_default": "leave the parameter out where one more makes a difference",
        "flip_default": "leave the parameter out where it makes a difference",
        "drop_default": "leave the field out and read the row back",
        "change_rounding": "use figures with more digits than are kept",
        "change_number_type": "use figures with more digits than are kept",
        "change_zone": "read the clock that this sets in an answer or a row",
        "keep_zone": "send a moment with an offset, and read the clock that this sets",
        "swap_fields": "use different values for the two",
        "condition_always": "send a request for which the condition does not hold",
        "condition_never": "send a request for which the condition holds",
        "swap_boolean": "send a request for which one side of the condition holds and the other does not",
        "change_text": "read the text in an answer, or send a request that depends on it",
        "change_format": "read the formatted text with values that need the width or the order",
        "change_status": "send a request that is answered with this status",
    }
)


def advise(operator: str) -> str:
    """One phrase in the imperative."""
    return _ADVICE.get(operator, "make a request whose answer depends on this line")
