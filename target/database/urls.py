"""Database addresses as operators write them, turned into what the drivers accept."""

from collections.abc import Mapping

from sqlalchemy.engine import URL, make_url

_ASYNC_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
_SYNC_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}


def async_database_url(address: str) -> str:
    """Return `address` with asyncpg or aiosqlite as its driver and libpq's options translated.

    `sslmode` becomes asyncpg's `ssl`, which takes the same words. `channel_binding` is dropped: asyncpg has no
    such option and would refuse the address; TLS itself stays as demanded.

    Raises:
        ValueError: the address is empty, malformed or names another database. The text never repeats it.
    """
    url = _with_driver(_parse(address), _ASYNC_DRIVERS)
    if "sslmode" in url.query:
        url = url.set(query={**url.query, "ssl": url.query["sslmode"]})
    return _without(url, "sslmode", "channel_binding").render_as_string(hide_password=False)


def sync_database_url(address: str) -> str:
    """Return `address` with psycopg or SQLite's own driver; libpq's options stay, asyncpg's `ssl` becomes `sslmode`.

    Raises:
        ValueError: as `async_database_url`.
    """
    url = _with_driver(_parse(address), _SYNC_DRIVERS)
    if "ssl" in url.query:
        url = url.set(query={"sslmode": url.query["ssl"], **url.query})
    return _without(url, "ssl").render_as_string(hide_password=False)


def is_pooler_address(address: str) -> bool:
    """True for Neon's pooled hosts, which carry `-pooler` in their first label."""
    host = make_url(address).host or ""
    return host.partition(".")[0].endswith("-pooler")


def _parse(address: str) -> URL:
    try:
        return make_url(address)
    except Exception:  # noqa: BLE001 - the parser's own text repeats the address, password included
        raise ValueError(
            "The database address is empty or malformed: use postgresql://user:password@host/name."
        ) from None


def _with_driver(url: URL, drivers: Mapping[str, str]) -> URL:
    backend = url.drivername.partition("+")[0]
    if backend not in drivers:
        raise ValueError(f"Unsupported database {backend!r}: use a postgresql:// or sqlite:/// address.")
    return url.set(drivername=drivers[backend])


def _without(url: URL, *names: str) -> URL:
    return url.set(query={key: value for key, value in url.query.items() if key not in names})
