"""How errors are answered: apart from their tree, since functions that answer no request import no framework."""

import logging

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from target.errors import TargetError
from target.representable import representable

_log = logging.getLogger(__name__)


def install_error_handlers(app: FastAPI) -> None:
    """Answer the tree of `target.errors`, and validation errors whose input JSON cannot carry."""
    app.add_exception_handler(TargetError, _answer_target_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)


async def _answer_target_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TargetError)  # noqa: S101 - registered for this type alone
    if error.status_code >= 500:
        # The text says what to do; the driver's own error is the cause and may repeat an address, so only its type.
        _log.error("%s", error, extra={"error": type(error).__name__, "cause": type(error.__cause__).__name__})
    return JSONResponse({"detail": representable(error.detail)}, error.status_code, headers=error.headers)


async def _answer_validation_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    try:
        detail = representable(jsonable_encoder(error.errors()))
    except RecursionError:  # a body nested to the parser's limit is refused without being repeated
        detail = [{key: entry[key] for key in ("type", "loc", "msg")} | {"input": None} for entry in error.errors()]
    return JSONResponse({"detail": detail}, 422)
