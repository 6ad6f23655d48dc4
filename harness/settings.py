"""What `parakeet.toml` says, checked once at the edge and passed on, frozen."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from harness.domain.errors import ConfigurationError

FILE_NAME = "parakeet.toml"


class _Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are errors: a misspelt setting must not be silently ignored."""


class LegacySettings(_Frozen, frozen=True):
    """How the legacy system is run."""

    mode: Literal["embedded", "process", "docker", "remote"] = "embedded"
    """The reference application of this checkout, a command of yours, a container, or a system that runs elsewhere."""
    command: list[str] = []
    """For `process`: argument list; `{port}` and `{database}` are filled in."""
    port: int | None = None
    """Where it listens; None means a free port. Not for `remote`."""
    working_directory: str | None = None
    """For `process`: where the command is run."""
    environment: dict[str, str] = {}
    """Added to ours; `{market}` in a value is the address of the generated market."""
    image: str | None = None
    """For `docker`: the image's name."""
    url: str | None = None
    """For `remote`: the system's address."""
    database: str | None = None
    """Path of its SQLite file, relative to the working directory."""
    cache_directory: str | None = None
    """Where it caches files, relative to the working directory."""
    results_directory: str | None = None
    """Where it writes its results, relative to the working directory."""
    health_path: str = "/health"
    """A path that it answers as soon as it is up."""
    startup_timeout_s: float = 30.0
    """Seconds that it may take until then."""
    reset_command: list[str] = []
    """Run before sessions that are marked `process_memory`, to make a legacy that you started forget what it holds."""


class AuthSettings(_Frozen, frozen=True):
    """How a bearer token for one side is minted; the secret is named, never written here."""

    jwt_secret_file: str | None = None
    """The file with the secret that the `auth` of a session's steps is signed with."""
    token_env: str | None = None
    """The environment variable with the token for requests that bring no credentials."""


class SideSettings(_Frozen, frozen=True):
    """One side's settings."""

    auth: AuthSettings = AuthSettings()


class SidesSettings(_Frozen, frozen=True):
    """Both sides' settings."""

    legacy: SideSettings = SideSettings()
    target: SideSettings = SideSettings()


class EnvironmentSettings(_Frozen, frozen=True):
    """A place where the target runs; credentials by the names of environment variables."""

    target_url: str
    """The target's address there."""
    dsn_env: str | None = None
    """The environment variable with its database's address, for `replay` with --legacy-db and without --target-dsn."""
    allow_load: bool = False
    """Whether load may be put on it; this machine always may be loaded."""
    reset_command: list[str] = []
    """Run by `replay` before sessions that are marked `process_memory`, to make it forget what it holds."""
    probe_url: str | None = None
    """Where `parakeet calibrate` finds its probe function."""


class LocalMarketSettings(_Frozen, frozen=True):
    """The generated market of docs/market.md: what it shows, and what goes wrong there."""

    seed: int | None = None
    """Another market than the usual one."""
    last_day: str | None = None
    """The last day that it has prices of, such as 2026-01-30."""
    synthetic: int = 0
    """Tickers beside those of the legacy."""
    latency_ms: float = 0.0
    """How long each answer takes."""
    jitter_ms: float = 0.0
    """By how much that varies."""
    throttled_ratio: float = 0.0
    """Of the requests, 0 to 1: answered with 429."""
    error_ratio: float = 0.0
    """Of the requests, 0 to 1: answered with an error of the server."""
    truncated_ratio: float = 0.0
    """Of the requests, 0 to 1: cut off in the middle of the answer."""
    retry_after_s: float = 1.0
    """What a 429 asks to wait."""


class LocalSettings(_Frozen, frozen=True):
    """What the local cloud puts where a deployment would: by secret, the keys and values that functions read.

    `{dsn}` stands for the database's address and `{jwt_secret}` for a random secret of the run.
    """

    secrets: dict[str, dict[str, str]] = {}
    """By the secret's key in `terraform/`."""
    market: LocalMarketSettings = LocalMarketSettings()


class TableMap(_Frozen, frozen=True):
    """How one legacy table is found on the target."""

    table: str | None = None
    """Its name on the target; the same where not set."""
    columns: dict[str, str] = {}
    """Renamed columns: the legacy's name and the target's."""
    added: dict[str, str] = {}
    """Columns that only the target has, each with its rule: `null`, `any`, `column NAME`, or `= LITERAL`."""
    enums: dict[str, dict[str, str]] = {}
    """By legacy column, its values and their counterparts; `"*" = "*"` lets all other values stay as they are."""
    units: dict[str, str] = {}
    """By legacy column, how its number becomes the target's: `* N`, `/ N`, `epoch s`, `epoch ms` or `epoch us`."""
    dropped: list[str] = []
    """Legacy columns that the target does without, by intent."""


class RowsSettings(_Frozen, frozen=True):
    """Row mapping by legacy table, and what the target has of its own."""

    map: dict[str, TableMap] = {}
    """By the legacy's table."""
    added: list[str] = []
    """Tables that only the target has, by intent: their rows are no difference."""
    dropped: list[str] = []
    """Tables that only the legacy has, by intent: they are neither carried nor compared."""


class SchemaAcceptance(_Frozen, frozen=True):
    """A difference of the schemas that is wanted; `*` stands for any text, an absent side declares nothing there."""

    at: Annotated[str, msgspec.Meta(pattern=r"^/[^*/]+", examples=["/table/columns/NAME/type"])]
    """The place, as `parakeet parity schema` shows it; its table is named in full."""
    reason: Annotated[str, msgspec.Meta(min_length=1, examples=["why it is wanted"])]
    """Why that is as it should be."""
    legacy: str | None = None
    """What the legacy declares there."""
    target: str | None = None
    """What the target declares there."""


class SchemaSettings(_Frozen, frozen=True):
    """Where the target's schema differs by intent, beside what `[rows]` says."""

    accept: list[SchemaAcceptance] = []
    """Differences that are accepted, one entry each."""


class ObjectsSettings(_Frozen, frozen=True):
    """Which of the legacy's files are objects of the target, key for key."""

    files: tuple[str, ...] = ("*.parquet",)
    """Patterns of paths relative to the legacy's directory; `*` spans folders too, and `**/` any of them or none."""
    prefix: str = ""
    """Goes before them in the target's bucket."""
    bucket: str = ""
    """Which of the definition's buckets that is, by its key."""


class AdequacySettings(_Frozen, frozen=True):
    """The application whose source `parakeet adequacy` plants faults in: an ASGI factory, called in a child process."""

    source: str = ""
    """Its package's directory, relative to the working directory or the project's."""
    app: str = ""
    """`module:factory`."""
    settings: str = ""
    """`module:function` whose outcome the factory is given; empty for a factory without arguments."""
    environment: dict[str, str] = {}
    """`{dsn}` stands for a database with the rows of the start, and `{jwt_secret}` for a random secret."""
    exemptions: str = ""
    """The file that names mutants which no session has to notice."""


class GateSettings(_Frozen, frozen=True):
    """What the gates demand beyond the criteria's own targets."""

    price_sheet_max_age_days: int = 90
    """Older prices make the verdict on cost INCONCLUSIVE."""


class Settings(_Frozen, frozen=True):
    """The whole file; every section has defaults, so an absent file is valid."""

    legacy: LegacySettings = LegacySettings()
    environments: dict[str, EnvironmentSettings] = {}
    sides: SidesSettings = SidesSettings()
    local: LocalSettings = LocalSettings()
    rows: RowsSettings = RowsSettings()
    schema: SchemaSettings = SchemaSettings()
    objects: ObjectsSettings = ObjectsSettings()
    adequacy: AdequacySettings = AdequacySettings()
    gates: GateSettings = GateSettings()


def load_settings(path: Path | None = None) -> Settings:
    """Settings of `path`, or of `parakeet.toml` of the judged project, or the defaults.

    Raises:
        ConfigurationError: the file is absent though named, is not TOML, or has an unknown or ill-typed key.
    """
    found = path or find_settings_file()
    if found is None:
        return Settings()
    try:
        raw: dict[str, Any] = tomllib.loads(found.read_text(encoding="utf-8"))
        return msgspec.convert(raw, Settings)
    except OSError as error:
        hint = f"Give a readable file, or leave --config out: then {FILE_NAME} is read where there is one."
        raise ConfigurationError(
            f"cannot read the configuration: {error.strerror}", where=str(found), hint=hint
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "Correct the file at that place."
        raise ConfigurationError(f"the configuration is not TOML: {error}", where=str(found), hint=hint) from error
    except msgspec.ValidationError as error:
        hint = (
            "Correct that key, or remove it: each has a default; `parakeet init DIRECTORY` writes a file with them all."
        )
        raise ConfigurationError(f"the configuration is wrong: {error}", where=str(found), hint=hint) from error


def environments_at(url: str, settings: Settings) -> tuple[EnvironmentSettings, ...]:
    """The environments whose target has this address."""
    return tuple(each for each in settings.environments.values() if each.target_url.rstrip("/") == url.rstrip("/"))


def find_settings_file() -> Path | None:
    """`parakeet.toml` of the judged project; None where it has none."""
    candidate = judged_directory() / FILE_NAME
    return candidate if candidate.is_file() else None


def judged_directory() -> Path:
    """The project that is judged: the working directory where it has a `parakeet.toml`, else this checkout.

    Settings, sessions, waivers, criteria and run output are looked for there.
    """
    here = Path.cwd()
    return here if (here / FILE_NAME).is_file() else project_root()


def project_root() -> Path:
    """The checkout that this package was installed from."""
    return Path(__file__).resolve().parent.parent


def environment_variable(name: str) -> str:
    """A credential that the configuration names.

    Raises:
        ConfigurationError: it is not set.
    """
    value = os.environ.get(name)
    if value is None:
        raise ConfigurationError(f"the environment variable {name} is not set", hint=f"export {name}=…")
    return value
