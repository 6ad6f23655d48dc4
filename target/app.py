"""Puts the application together."""

from collections.abc import Sequence
from importlib import import_module
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import State

from target.api_document import describe_everything
from target.error_answers import install_error_handlers
from target.jobs.submission import DeferredSubmission, JobSubmission
from target.limits import RequestLimits
from target.middleware import RequestBoundary
from target.settings import Settings
from target.storage.objects import open_objects

ROUTERS: Final = ("root", "trades", "data", "strategies", "dashboard", "scanner", "universes", "quant2", "validation")
"""Modules of `target.routers`, in the order in which the API's document lists them."""

_WITHOUT_DATABASE: Final = frozenset({"quant2"})
"""Routers that answer from cached prices alone."""
_WITHOUT_ROWS: Final = frozenset({"data", "universes"})
"""Routers that meet the database only to hand over a job."""


def create_app(settings: Settings, routers: Sequence[str] = ROUTERS) -> FastAPI:
    """Return the application that serves these routers, importing no other. Opens no connection, reads no secret."""
    app = FastAPI(title=settings.app_name, version=settings.app_version)
    _provide(app.state, settings, routers)
    app.add_middleware(RequestLimits, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(RequestBoundary)
    install_error_handlers(app)
    for name in routers:
        app.include_router(import_module(f"target.routers.{name}").router)
    if tuple(routers) != ROUTERS:
        describe_everything(app)
    return app


def _provide(state: State, settings: Settings, routers: Sequence[str]) -> None:
    """Put what routers share into the application's state; each part connects when it is first used."""
    state.settings = settings
    state.objects = open_objects(settings)
    if _WITHOUT_DATABASE.issuperset(routers):
        return
    from target.secrets import SecretStore  # noqa: PLC0415 - quant2 has none

    state.secrets = SecretStore(settings)
    if _WITHOUT_ROWS.issuperset(routers):
        state.jobs = DeferredSubmission(lambda: _open_jobs(state))
    else:
        state.jobs = _open_jobs(state)


def _open_jobs(state: State) -> JobSubmission:
    """Return the way to the worker, and leave the database in the state."""
    # Here, not at the top: SQLAlchemy and its driver are a third of INIT.
    from target.database.engine import Database  # noqa: PLC0415
    from target.jobs.queue import open_jobs  # noqa: PLC0415

    state.database = Database(state.settings, state.secrets)
    return open_jobs(state.settings, state.secrets, state.database, state.objects)
