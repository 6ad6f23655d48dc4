"""Which headers a reverse proxy hands on, and in what form."""

from urllib.parse import urlsplit

from harness.domain.exchange import Headers

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NEVER_DROPPED = frozenset({"host", "content-length", "content-type"})
"""A client that names one of these in `Connection` would change what the request says."""
_LOCATIONS = frozenset({"location", "content-location"})


def end_to_end(headers: Headers) -> Headers:
    """The headers that are not for this connection alone; order, spelling and repeats are kept.

    Source: RFC 9110, section 7.6.1.
    """
    named = {
        option.strip().lower() for name, value in headers if name.lower() == "connection" for option in value.split(",")
    }
    dropped = _HOP_BY_HOP | (named - _NEVER_DROPPED)
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)


def without(headers: Headers, *names: str) -> Headers:
    """The headers but those with these names, which are in lower case."""
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def relocated(headers: Headers, upstream: str, client: str | None) -> Headers:
    """The headers with locations at the origin `upstream` moved to `client`, the origin that the client used.

    A location that names another origin, or none, stays as it is; so does everything where `client` is None.
    """
    if client is None:
        return headers
    return tuple(
        (name, _moved(value, upstream, client) if name.lower() in _LOCATIONS else value) for name, value in headers
    )


def _moved(location: str, upstream: str, client: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        return location
    if f"{parts.scheme}://{parts.netloc}".lower() != upstream.lower():
        return location
    return client + location[len(upstream) :]
