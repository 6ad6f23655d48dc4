"""Puts the application together."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from target.database.engine import Database
from target.errors import install_error_handlers
from target.middleware import RequestBoundary
from target.routers import root, trades
from target.secrets import SecretStore
from target.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Return the application for these settings. Opens no connection and reads no secret."""
    app = FastAPI(title=settings.app_name, version=settings.app_version)
    app.state.settings = settings
    app.state.secrets = SecretStore(settings)
    app.state.database = Database(settings, app.state.secrets)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(RequestBoundary)
    install_error_handlers(app)
    app.include_router(root.router)
    app.include_router(trades.router)
    return app
