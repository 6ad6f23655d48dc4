"""The OpenAPI document of the whole API: written beforehand, since no function imports what all of them serve.

`make docs` writes it; a test holds it against the routers.
"""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

DOCUMENT = Path(__file__).with_name("openapi.json")


def describe_everything(app: FastAPI) -> None:
    """Let an application that serves a part of the API describe all of it; the file is read when it is asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
            app.openapi_schema = {**document, "info": {"title": app.title, "version": app.version}}
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def write_document(app: FastAPI) -> None:
    """Write what this application, which serves everything, says of itself."""
    DOCUMENT.write_text(json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from target.app import create_app
    from target.settings import Settings

    write_document(create_app(Settings()))
