"""The answer to an exception that no handler caught."""

import logging
import uuid

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from legacy_adapter.app.settings import get_settings

_logger = logging.getLogger(__name__)


def install_error_handler(app: FastAPI) -> None:
    """Answers 500 outside the CORS layer; the server then closes the connection, as it does after any raise."""
    app.add_exception_handler(Exception, _answer_uncaught)


async def _answer_uncaught(request: Request, error: Exception) -> JSONResponse:
    request_id = uuid.uuid4().hex[:8]
    _logger.error("request %s failed: %s", request_id, type(error).__name__)
    # LEGACY-PARITY: Q17, the exception's own text leaks while DEBUG is on.
    detail = str(error) if get_settings().DEBUG else "An unexpected error occurred"
    return JSONResponse(
        status_code=500,
        content={
            "error": "Internal server error",
            "detail": detail,
            "request_id": request_id,
            "path": str(request.url),
        },
    )
