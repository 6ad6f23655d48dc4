"""Configuration from the environment, names case-sensitive (contract section 3)."""

import json
import os
from functools import lru_cache
from typing import Annotated, Any

from pydantic import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEFAULT_JWT_SECRET = "dev-secret-change-in-production"
_DEFAULT_API_KEY = "dev-key-change-me"


class Settings(BaseSettings):
    """What the application can be told; unknown variables are ignored."""

    model_config = SettingsConfigDict(env_file="backend/.env", case_sensitive=True, extra="ignore")

    APP_NAME: str = "Quant Trading Dashboard API"
    APP_VERSION: str = "2.0.0"
    DEBUG: bool = True
    DATABASE_URL: str = "sqlite:///./data/trades.db"
    CORS_ORIGINS: Annotated[list[str], NoDecode] = [
        "http://localhost:3000",
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://localhost:8000",
    ]
    TIINGO_API_KEY: str = ""
    # The image lacks the `tiingo` package, and with it everything that the loader module does.
    TIINGO_INSTALLED: bool = False
    YFINANCE_CACHE_HOURS: int = 24
    DEFAULT_PAGE_SIZE: int = 50
    MAX_PAGE_SIZE: int = 200
    API_KEY: str = ""
    JWT_SECRET: str = DEFAULT_JWT_SECRET
    JWT_ALGORITHM: str = "HS256"
    YAHOO_BASE_URL: str = "https://query1.finance.yahoo.com"
    TIINGO_BASE_URL: str = "https://api.tiingo.com"
    SPX500_LIST_URL: str = "https://raw.githubusercontent.com/datasets/s-and-p-500-companies/main/data/constituents.csv"
    MARKET_TIMEOUT_S: float = 10.0

    @field_validator("CORS_ORIGINS", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = value.strip()
        return json.loads(text) if text.startswith("[") else [part.strip() for part in text.split(",")]


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    settings = Settings()
    _refuse_development_secrets(settings)
    return settings


def _refuse_development_secrets(settings: Settings) -> None:
    # Reads the process environment, not the .env file, as the original does.
    if os.environ.get("DEBUG", "true").lower() in {"true", "1", "yes"}:
        return
    if settings.JWT_SECRET == DEFAULT_JWT_SECRET or settings.API_KEY == _DEFAULT_API_KEY:
        raise RuntimeError("JWT_SECRET and API_KEY must be set to values of their own when DEBUG is off")
