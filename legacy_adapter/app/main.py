"""Builds the application."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from legacy_adapter.app.database import get_engine
from legacy_adapter.app.errors import install_error_handler
from legacy_adapter.app.models import Base
from legacy_adapter.app.paths import SlashesOnlyIsRoot
from legacy_adapter.app.routers import (
    dashboard,
    data,
    quant2,
    root,
    scanner,
    strategies,
    trades,
    universes,
    validation,
)
from legacy_adapter.app.settings import get_settings

_FOLDERS = ("data", "cache", "reports")


def create_app() -> FastAPI:
    """The application on the working directory: creates its folders and missing tables, alters nothing."""
    settings = get_settings()
    for name in _FOLDERS:
        Path(name).mkdir(exist_ok=True)
    Base.metadata.create_all(bind=get_engine())
    app = FastAPI(title=settings.APP_NAME, version=settings.APP_VERSION)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.CORS_ORIGINS,
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(SlashesOnlyIsRoot)
    install_error_handler(app)
    _include_routers(app)
    if Path("dashboard").is_dir():
        # LEGACY-PARITY: Q19, the scanner creates the folder, so the mount appears after a restart.
        app.mount("/dashboard", StaticFiles(directory="dashboard", html=True), name="dashboard")
    return app


def _include_routers(app: FastAPI) -> None:
    app.include_router(root.router)
    app.include_router(trades.router, prefix="/api/trades", tags=["trades"])
    app.include_router(data.router, prefix="/api/data", tags=["data"])
    app.include_router(strategies.router, prefix="/api/strategies", tags=["strategies"])
    app.include_router(dashboard.router, prefix="/api/dashboard", tags=["dashboard"])
    app.include_router(scanner.router, prefix="/api/scanner", tags=["scanner"])
    app.include_router(universes.router, prefix="/api/universes", tags=["universes"])
    app.include_router(quant2.router, prefix="/api/quant2", tags=["quant2"])
    app.include_router(validation.router, prefix="/api/validation", tags=["validation"])
