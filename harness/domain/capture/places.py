"""The places of a request that may hold a value of an earlier answer, each replaceable without touching the rest."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from harness.domain.capture.words import subjects, subjects_of_path
from harness.domain.exchange import Headers
from harness.domain.redaction import COOKIE_PAIR
from harness.domain.redaction_marks import MARK, NUMBER_MARK, is_number_mark

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\]:,]')
_SCHEMES = re.compile(r"(?:Bearer|Token|Basic|Digest|ApiKey) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A value within a request, and what its surroundings say that it is about."""

    text: str
    """The value, decoded."""
    name: str = ""
    subjects: frozenset[str] = frozenset()


Replace = Callable[[Place], str | None]
"""What stands in a place from now on; None leaves it as it is."""


def replace_in_url(url: str, replace: Replace) -> str:
    """`url` with whole segments of its path and whole values of its query replaced."""
    path, mark, query = url.partition("?")
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if segment:
            before = subjects_of_path("/".join(segments[:index]))
            segments[index] = replace(Place(text=unquote(segment), subjects=before)) or segment
    return "/".join(segments) + mark + replace_in_form(query, path, replace)


def replace_in_form(text: str, path: str, replace: Replace) -> str:
    """A query or a form body with whole values replaced."""
    parts = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        place = Place(text=unquote_plus(value), name=name, subjects=subjects(name) or subjects_of_path(path))
        parts.append(f"{name}{equals}{(value and replace(place)) or value}")
    return "&".join(parts)


def replace_in_json(text: str, path: str, replace: Replace) -> str:
    """A JSON text with values that are strings or numbers replaced; a replaced string keeps its quotes."""
    written, end = [], 0
    for start, token, name in _scalars(text):
        # A redacted number is known by the mark that the same digits have as a text, and is a number when sent.
        is_text = token[0] == '"' and not is_number_mark(token[1:])
        value = _decoded(token) if is_text else token.strip('"').replace(NUMBER_MARK, MARK)
        found = replace(Place(text=value, name=name, subjects=subjects(name) or subjects_of_path(path)))
        if found is not None:
            written += [text[end:start], f'"{found}"' if is_text else found]
            end = start + len(token)
    return "".join(written) + text[end:]


def replace_in_headers(headers: Headers, replace: Replace) -> Headers:
    """The headers with whole values replaced, credentials behind their scheme, and the values of cookies."""
    return tuple((name, _header(name.lower(), value, replace)) for name, value in headers)


def _header(name: str, value: str, replace: Replace) -> str:
    if name == "cookie":
        return COOKIE_PAIR.sub(
            lambda pair: pair[1] + (replace(Place(text=pair[2], name=pair[1][:-1])) or pair[2]), value
        )
    scheme = _SCHEMES.match(value)
    start = scheme.end() if scheme else 0
    return value[:start] + (replace(Place(text=value[start:], name=name)) or value[start:])


def _scalars(text: str) -> Iterator[tuple[int, str, str]]:
    """Position, text and name of the member (or of the list's member) of each string and number."""
    names: list[str] = [""]
    tokens = list(_TOKEN.finditer(text))
    for index, match in enumerate(tokens):
        lexeme = match[0]
        if lexeme in "{[":
            names.append(names[-1])
        elif lexeme in "}]":
            names = names[:-1] or [""]
        elif lexeme not in ":,":
            if index + 1 < len(tokens) and tokens[index + 1][0] == ":":
                names[-1] = _decoded(lexeme)
            else:
                yield match.start(), lexeme, names[-1]


def _decoded(lexeme: str) -> str:
    if lexeme[0] != '"':
        return lexeme
    try:
        return str(json.loads(lexeme))
    except ValueError:
        return lexeme[1:-1]
