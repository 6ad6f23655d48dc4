"""Query parameters of the list of trades."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from pydantic import GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from target.database.models import Trade
from target.errors import InvalidInput
from target.repositories.trades import COLUMNS, PageRequest, TradeFilter
from target.routers.second_stage import hold_to
from target.schemas.fields import LARGEST_ID, NaiveTime, TradeStatus

_DEFAULT_SORT = "entry_date"


_STATUS: TypeAdapter[TradeStatus | None] = TypeAdapter(TradeStatus | None)


class _ShownAsStatus:
    """A text that the API's document shows as a status, because no other is accepted in the end."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(_STATUS.core_schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A list of trades as it was asked for."""

    page: int
    page_size: int
    wanted: TradeFilter
    stretch: PageRequest


def _parse_list_query(
    *,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
    ticker: str | None = None,
    status: Annotated[str | None, _ShownAsStatus] = None,
    strategy: str | None = None,
    start_date: NaiveTime | None = None,
    end_date: NaiveTime | None = None,
    sort_by: str = _DEFAULT_SORT,
    sort_desc: bool = True,
) -> ListQuery:
    """Turn the parameters into a query. One function, so that their errors come out in the contract's order.

    It runs once all of them can be read, so what it refuses is refused after what the legacy refuses.
    """
    offset = _offset(page, page_size)
    return ListQuery(
        page=page,
        page_size=page_size,
        wanted=TradeFilter(
            ticker=ticker.upper() if ticker else None,
            status=_status(status),
            strategy=strategy,
            entered_from=start_date,
            entered_until=end_date,
        ),
        stretch=PageRequest(limit=page_size, offset=offset, sort_by=_sort_column(sort_by), descending=sort_desc),
    )


def _status(name: str | None) -> TradeStatus | None:
    """Return the status of this name; an empty one counts as absent.

    Raises:
        RequestValidationError: there is none (Q4).
    """
    return hold_to(_STATUS, name or None, "query", "status")


def _offset(page: int, page_size: int) -> int:
    """Return how many rows lie before the page.

    Raises:
        InvalidInput: more than a 64-bit number can say (Q5).
    """
    offset = (page - 1) * page_size
    if offset > LARGEST_ID:
        largest = LARGEST_ID // page_size + 1
        raise InvalidInput(
            location=("query", "page"),
            kind="less_than_equal",
            message=f"Input should be less than or equal to {largest}",
            given=str(page),
            le=largest,
        )
    return offset


def _sort_column(name: str) -> str:
    """Return the column to sort by; an unknown name means the default, as in the legacy.

    Raises:
        InvalidInput: the name is an attribute of a trade but no column (Q5).
    """
    if name in COLUMNS:
        return name
    if name == "calculate_pnl" or hasattr(Trade, name):
        raise InvalidInput(
            location=("query", "sort_by"),
            kind="sort_key",
            message="Input should be the name of a column",
            given=name,
        )
    return _DEFAULT_SORT


ListParameters = Annotated[ListQuery, Depends(_parse_list_query)]
