"""Database addresses as operators write them, turned into what the async drivers accept."""

from sqlalchemy.engine import URL, make_url

_ASYNC_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


def async_database_url(address: str) -> str:
    """Return `address` with asyncpg or aiosqlite as its driver and libpq's options translated.

    `sslmode` becomes asyncpg's `ssl`, which takes the same words. `channel_binding` is dropped: asyncpg has no
    such option and would refuse the address; TLS itself stays as demanded.

    Raises:
        ValueError: the address is empty, malformed or names another database. The text never repeats it.
    """
    url = _parse(address)
    backend = url.drivername.partition("+")[0]
    if backend not in _ASYNC_DRIVERS:
        raise ValueError(f"Unsupported database {backend!r}: use a postgresql:// or sqlite:/// address.")
    url = url.set(drivername=_ASYNC_DRIVERS[backend])
    if backend != "sqlite":
        url = _translate_libpq_options(url)
    return url.render_as_string(hide_password=False)


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


def _translate_libpq_options(url: URL) -> URL:
    query = {key: value for key, value in url.query.items() if key not in {"sslmode", "channel_binding"}}
    if "sslmode" in url.query:
        query["ssl"] = url.query["sslmode"]
    return url.set(query=query)
