"""Which part of a system a request belongs to, told from its path alone."""

from collections.abc import Iterable
from urllib.parse import unquote

ROOT_GROUP = "root"
MIXED_GROUP = "mixed"


def group_of_url(url: str) -> str:
    """The segment below the API's common prefix: `/api/<x>/…` is `x`; anything else is `root`."""
    path = url.split("?", 1)[0].split("#", 1)[0]
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if len(segments) > 1 and segments[0] == "api":
        return segments[1]
    return ROOT_GROUP


def group_of_step(session_group: str, url: str) -> str:
    """The group that a step counts for: its session's, or its own URL's where the session mixes several."""
    return group_of_url(url) if session_group == MIXED_GROUP else session_group


def group_of_urls(urls: Iterable[str]) -> str:
    """The one group that all the URLs share, or `mixed`."""
    groups = {group_of_url(url) for url in urls}
    return groups.pop() if len(groups) == 1 else MIXED_GROUP
