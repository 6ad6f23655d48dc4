"""The API's document, written beforehand, says what the routers say, whatever a function serves of them."""

import json

import pytest
from fastapi import FastAPI

from target.api_document import DOCUMENT
from target.app import ROUTERS, create_app
from target.settings import Settings

_METHODS = {"get", "post", "put", "patch", "delete"}


def app_of(*routers: str) -> FastAPI:
    return create_app(Settings(_env_file=None), routers)  # type: ignore[call-arg]


def test_the_document_says_what_the_routers_say() -> None:
    stale = "run `make docs`: a router or a schema has changed"
    assert json.loads(DOCUMENT.read_text(encoding="utf-8")) == app_of(*ROUTERS).openapi(), stale


def test_the_document_has_every_operation_of_the_contract() -> None:
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    assert sum(len(_METHODS & set(operations)) for operations in paths.values()) == 46


@pytest.mark.parametrize("routers", [("root", "trades"), ("quant2", "validation")])
def test_a_function_describes_more_than_it_serves(routers: tuple[str, ...]) -> None:
    app = app_of(*routers)
    served = {path for path in app_of(*ROUTERS).openapi()["paths"] if path.startswith("/api/scanner")}
    assert served
    assert not any(getattr(route, "path", "").startswith("/api/scanner") for route in app.routes)
    assert served <= set(app.openapi()["paths"])


def test_the_document_bears_the_name_and_version_of_the_settings() -> None:
    app = create_app(Settings(_env_file=None, app_name="Elsewhere", app_version="9"), ("root",))  # type: ignore[call-arg]
    assert app.openapi()["info"] == {"title": "Elsewhere", "version": "9"}
