"""What a deployable is told from outside: read once, at the edge, and passed."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from target.quant.allocation_mode import AllocationMode

_DEFAULT_ORIGINS = (
    "http://localhost:3000",
    "http://localhost:5173",
    "http://127.0.0.1:3000",
    "http://localhost:8000",
)


class AuthMode(StrEnum):
    """How writes are guarded: COMPAT as the legacy (open), STRICT with a token on every write."""

    COMPAT = "compat"
    STRICT = "strict"


class Settings(BaseSettings):
    """One frozen object per process; each field is the variable of the same name in capitals."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    app_name: str = "Quant Trading Dashboard API"
    app_version: str = "2.0.0"
    debug: bool = Field(default=False, description="Verbose logs; never changes an answer.")
    powertools_log_level: str = "INFO"
    tracing: bool = Field(default=False, description="X-Ray subsegments; costs start-up time.")
    powertools_metrics_namespace: str = Field(default="", description="Where metrics go; empty drops them.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = _DEFAULT_ORIGINS

    use_neon: bool = False
    neon_database_url: SecretStr = SecretStr("")
    database_url: SecretStr = SecretStr("sqlite:///./data/trades.db")
    database_pooler: bool = Field(
        default=False,
        description="The database is reached through a transaction-mode pooler: no prepared statement is kept.",
    )

    aws_region: str = "us-east-1"
    aws_secrets_manager_name: str = "potential-parakeet/prod"
    api_keys_secret_name: str = "potential-parakeet/prod/api-keys"  # noqa: S105 - a name, not a value
    secrets_cache_ttl_s: float = Field(default=300.0, gt=0)
    use_s3_cache: bool = False
    s3_bucket_name: str = "potential-parakeet-cache"
    s3_cache_prefix: str = "cache/"

    jobs_queue_url: str = Field(default="", description="Where jobs are sent; empty runs them in this process.")
    tiingo_api_key: SecretStr = Field(default=SecretStr(""), description="In Lambda the api-keys secret has it.")
    tiingo_base_url: str = "https://api.tiingo.com"
    tiingo_rate_limit: int = Field(default=20_000, ge=2, description="Requests an hour, of this process.")
    yahoo_base_url: str = "https://query1.finance.yahoo.com"
    market_data_timeout_s: float = Field(default=10.0, gt=0, description="One request, retries apart.")
    max_concurrent: int = Field(default=64, ge=1, le=256, description="Requests for prices in flight.")
    universe_key: str = Field(default="SPX500", description="What is ingested if the event names nothing.")
    lookback_days: int = Field(default=5, ge=0, description="Ingested days before today.")
    ingest_queue_url: str = Field(default="", description="Where tickers go that failed and may not fail again.")
    local_cache_directory: str = "./cache"
    max_body_bytes: int = Field(default=1_048_576, ge=1)

    allocation_mode: AllocationMode = Field(
        default=AllocationMode.COMPAT,
        description="How backtests mean the names of methods; compat weights as the legacy does.",
    )

    is_lambda: bool = False
    aws_lambda_function_name: str = ""

    auth_mode: AuthMode = AuthMode.COMPAT
    jwt_secret: SecretStr = SecretStr("")
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = "HS256"
    jwt_audience: str = "potential-parakeet"
    jwt_issuer: str = "potential-parakeet"

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        """Accept a JSON list or a comma-separated text, as deployment tools write either."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip(' "') for part in value.strip("[] ").split(",") if part.strip(' "'))

    @model_validator(mode="after")
    def _neon_has_an_address(self) -> Self:
        if self.use_neon and not self.reads_secrets_manager and not self.neon_database_url.get_secret_value():
            raise ValueError("USE_NEON is on but NEON_DATABASE_URL is empty: set it, or turn USE_NEON off.")
        return self

    @property
    def runs_in_lambda(self) -> bool:
        """True where one process serves one request at a time and is frozen in between."""
        return self.is_lambda or bool(self.aws_lambda_function_name)

    @property
    def reads_secrets_manager(self) -> bool:
        """True where credentials come from Secrets Manager; elsewhere the environment is the source."""
        return self.runs_in_lambda and bool(self.aws_secrets_manager_name)

    @property
    def database_url_async(self) -> str:
        """The database's address with an async driver, from the environment. Contains a password: never log it."""
        # Here, not at the top: SQLAlchemy parses it, which a function without a database is spared.
        from target.database.urls import async_database_url  # noqa: PLC0415

        chosen = self.neon_database_url if self.use_neon else self.database_url
        return async_database_url(chosen.get_secret_value())


def load_settings() -> Settings:
    """Read the process environment (and `.env`, where there is one)."""
    return Settings()
