"""A side's own credential as it is given: a bearer token, or `NAME: VALUE` of whatever header carries it."""

import re

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): +(\S.*)")


def credential_header(given: str) -> tuple[str, str]:
    """Name and value of the header that it is sent in."""
    header = _HEADER.fullmatch(given)
    return (header[1], header[2]) if header else ("Authorization", f"Bearer {given}")


def secret_part(given: str | None) -> str | None:
    """What of it must be written nowhere: not the name of the header, nor that of the scheme."""
    return None if given is None else credential_header(given)[1].rpartition(" ")[2]
