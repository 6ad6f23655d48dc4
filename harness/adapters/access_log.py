"""Sessions from an access log: common and combined format, and that of AWS's application load balancers.

A log has no bodies, so only requests that need none are taken, and none that changes anything could be sent truly.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

from harness.domain.errors import ConfigurationError
from harness.domain.grouping import group_of_urls
from harness.domain.secret_names import is_secret_name
from harness.domain.session import Session, Step
from harness.domain.substitution import placeholders

_PAUSE = timedelta(minutes=30)
"""A client that was silent for so long begins another session, as web analytics count visits."""
_FIRST_LINES = 20
_LOOKED_AT = 65_536
"""Characters from the start, in which the format must show."""
_NAMED_LINES = 5
_SENDABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TEXT = r'(?:[^"\\]|\\.)*'
_COMMON = re.compile(
    r"(?P<client>\S+) \S+ .*?\[(?P<time>\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"
    rf' "(?P<request>{_TEXT})" (?:\d+|-) (?:\d+|-)(?: "{_TEXT}" "(?P<agent>{_TEXT})")?(?: .*)?'
)
_BALANCER = re.compile(
    r"(?:https?|h2|grpcs|wss?) (?P<time>\S+) \S+ (?P<client>\S+):\d+(?: \S+){4} (?:\d+|-) (?:\d+|-) \S+ \S+"
    rf' "(?P<request>{_TEXT})" "(?P<agent>{_TEXT})" .*'
)
_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<url>\S+)(?: HTTP/[\d.]+)?")
_ESCAPE = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    client: str
    at: datetime
    method: str
    target: str


def is_access_log(text: str) -> bool:
    """Whether one of the first lines that are not empty is of a known format; a log may begin with remarks."""
    first = islice((line for line in text[:_LOOKED_AT].split("\n") if line.strip()), _FIRST_LINES)
    return any(_matched(line) is not None for line in first)


def access_log_sessions(text: str, path: Path, on_note: Callable[[str], None] = lambda _: None) -> tuple[Session, ...]:
    """A session for each visit: one address and user agent, with no pause of half an hour, in the order of time.

    Guarantees: paths and queries as they were logged, except that values of secret parameters are left out; requests
    with other methods than GET, HEAD and OPTIONS, and lines that cannot be read, are skipped and told to `on_note`.

    Raises:
        ConfigurationError: no request of the log can be sent.

    Source: Apache HTTP Server documentation, log files; AWS, access log entries for Application Load Balancers.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    found = [(number, _request(line)) for number, line in lines]
    unread = [number for number, request in found if request is None]
    requests = [request for _, request in found if request is not None]
    sendable = [each for each in requests if each.method in _SENDABLE_METHODS and not placeholders(each.target)]
    if unread:
        on_note(f"{path}: skipped {len(unread)} of {len(lines)} lines, which are no request: {_named(unread)}")
    if len(sendable) < len(requests):
        unsent = Counter(each.method for each in requests) - Counter(each.method for each in sendable)
        methods = ", ".join(f"{count} {method}" for method, count in sorted(unsent.items()))
        on_note(f"{path}: skipped {unsent.total()} requests, whose bodies no log has: {methods}")
    if not sendable:
        hint = "Record the traffic itself (HAR), or give a log of reads."
        raise ConfigurationError("no request of the log can be sent", where=str(path), hint=hint)
    visits = _visits(sorted(sendable, key=lambda each: each.at))
    stem = path.name.split(".", 1)[0]
    return tuple(_session(f"{stem}#{number}", visit, path) for number, visit in enumerate(visits, start=1))


def _named(numbers: Sequence[int]) -> str:
    more = ", …" if len(numbers) > _NAMED_LINES else ""
    return f"line {', '.join(str(number) for number in numbers[:_NAMED_LINES])}{more}"


def _visits(requests: Iterable[_Request]) -> Iterator[Sequence[_Request]]:
    """In the order in which they began."""
    visits: list[list[_Request]] = []
    latest: dict[str, list[_Request]] = {}
    for each in requests:
        visit = latest.get(each.client)
        if visit is None or each.at - visit[-1].at > _PAUSE:
            visit = latest[each.client] = []
            visits.append(visit)
        visit.append(each)
    yield from visits


def _session(name: str, visit: Sequence[_Request], path: Path) -> Session:
    steps = [
        Step(n=n, name=f"{each.method} {each.target}", method=each.method, url=each.target)
        for n, each in enumerate(visit, start=1)
    ]
    return Session(
        id=name,
        group=group_of_urls(step.url for step in steps),
        steps=tuple(steps),
        source=str(path),
        tags=("recorded",),
    )


def _request(line: str) -> _Request | None:
    found = _matched(line)
    request = _REQUEST.fullmatch(_unescaped(found["request"])) if found is not None else None
    if found is None or request is None:
        return None
    target = _target(request["url"])
    moment = _moment(found["time"])
    if target is None or moment is None:
        return None
    client = f"{found['client']} {found['agent'] or ''}"
    return _Request(client=client, at=moment, method=request["method"], target=target)


def _matched(line: str) -> re.Match[str] | None:
    return _COMMON.fullmatch(line.rstrip("\r")) or _BALANCER.fullmatch(line.rstrip("\r"))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _character(found[1]) if found[1] else found[2], text)


def _character(digits: str) -> str:
    """What a server wrote as hexadecimal digits: a byte, of which several may be one character of UTF-8."""
    character = chr(int(digits, 16))
    return character if "!" <= character <= "~" else f"%{digits.upper()}"


def _target(url: str) -> str | None:
    """Path and query; a load balancer logs whole addresses."""
    if "://" in url.partition("?")[0]:
        parts = urlsplit(url)
        url = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _without_secrets(url) if url.startswith("/") else None


def _without_secrets(url: str) -> str:
    path, mark, query = url.partition("?")
    kept = [part for part in query.split("&") if not is_secret_name(unquote_plus(part.partition("=")[0]))]
    return f"{path}{mark}{'&'.join(kept)}" if len(kept) == query.count("&") + 1 or any(kept) else path


def _moment(text: str) -> datetime | None:
    try:
        if text[2:3] == "/":
            return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
