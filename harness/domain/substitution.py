"""Values saved from answers, filled into later requests as `{{name}}`."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from harness.domain.exchange import Headers, Request
from harness.domain.pointer import PointerError, resolve_pointer
from harness.domain.session import Step

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.\-]*)\s*\}\}")
_URL_SAFE = "-._~:@!$'()*,;/+"
COOKIE = "cookie"
"""`cookie NAME` in place of a pointer saves the value of a cookie that the answer sets."""
HEADER = "header"
"""`header NAME` saves the value of a header, and `header NAME segment -1` the last segment of the path in it."""
_HEADER_SAVE = re.compile(rf"{HEADER} ([^\s/]+)(?: segment (-[1-9]\d{{0,2}}))?")


class UnsavedValueError(LookupError):
    """A request needs a value that no earlier answer gave."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no earlier answer saved {{{{{name}}}}}")


def placeholders(text: str) -> tuple[str, ...]:
    """The names that `text` refers to, in order of first use."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def step_placeholders(step: Step) -> tuple[str, ...]:
    """The names that a step's url, headers and body refer to."""
    texts = [step.url, *(value for _, value in step.headers), step.body or ""]
    return tuple(dict.fromkeys(name for text in texts for name in placeholders(text)))


def fill_text(text: str, saved: Mapping[str, Any]) -> str:
    """`text` with every `{{name}}` replaced by its value's text.

    Raises:
        UnsavedValueError: a name that is not in `saved`.
    """
    return _fill(text, saved, value_text)


def fill_request(step: Step, saved: Mapping[str, Any]) -> Request:
    """The step's request with its saved values filled in: percent-encoded in the URL, escaped in a JSON body.

    Raises:
        UnsavedValueError: a name that is not in `saved`.
    """
    return Request(
        method=step.method,
        url=_fill(step.url, saved, _url_text),
        headers=tuple((name, fill_text(value, saved)) for name, value in step.headers),
        body=None if step.body is None else encode_text(_fill_body(step, saved)),
    )


def extract_saves(step: Step, document: Any, headers: Headers = ()) -> dict[str, Any]:
    """What `step.save` keeps of a parsed answer; pointers, cookies and headers that name nothing are left out."""
    kept: dict[str, Any] = {}
    for name, pointer in step.save:
        if is_saved_of_headers(pointer):
            found = _saved_of_headers(pointer, headers)
            kept.update({} if found is None else {name: found})
            continue
        try:
            kept[name] = resolve_pointer(document, pointer)
        except PointerError:
            continue
    return kept


def is_saved_of_headers(pointer: str) -> bool:
    """Whether a `save` keeps a cookie or a header, and not a value of the body."""
    return saved_cookie(pointer) is not None or _HEADER_SAVE.fullmatch(pointer) is not None


def saved_cookie(pointer: str) -> str | None:
    """The name of the cookie that a `save` keeps; None where it keeps something else."""
    word, space, name = pointer.partition(" ")
    return name if word == COOKIE and space and name else None


def find_header_save(name: str, headers: Headers, value: Any) -> str | None:
    """How a `save` keeps this value of a header: whole, or the last segment that it is; None where it is neither."""
    whole = f"{HEADER} {name.lower()}"
    found = _saved_of_headers(whole, headers)
    if found is None or found == value:
        return None if found is None else whole
    segments = path_segments(found)
    return next(
        (f"{whole} segment {at - len(segments)}" for at in _last_first(segments) if segments[at] == value), None
    )


def path_segments(url: str) -> tuple[str, ...]:
    """The segments of the path of an address, decoded, without empty ones."""
    try:
        return tuple(unquote(segment) for segment in urlsplit(url).path.split("/") if segment)
    except ValueError:
        return ()


def _last_first(segments: tuple[str, ...]) -> range:
    return range(len(segments) - 1, -1, -1)


def _saved_of_headers(pointer: str, headers: Headers) -> str | None:
    cookie = saved_cookie(pointer)
    if cookie is not None:
        return dict(set_cookies(headers)).get(cookie)
    match = _HEADER_SAVE.fullmatch(pointer)
    value = next((value for name, value in headers if match and name.lower() == match[1].lower()), None)
    if match is None or value is None or match[2] is None:
        return value
    segments, index = path_segments(value), int(match[2])
    return segments[index] if -index <= len(segments) else None


def set_cookies(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Names and values of the cookies that an answer sets, in order; a value keeps its quotes."""
    pairs = (value.split(";", 1)[0].partition("=") for name, value in headers if name.lower() == "set-cookie")
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)


def value_text(value: Any) -> str:
    """Strings as they are, everything else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode_text(text: str) -> bytes:
    """UTF-8; a lone surrogate keeps its three-byte form, since a session may send broken text on purpose."""
    return text.encode("utf-8", "surrogatepass")


def _fill_body(step: Step, saved: Mapping[str, Any]) -> str:
    body = step.body or ""
    return _fill(body, saved, _json_text if _is_json(step.headers) else value_text)


def _fill(text: str, saved: Mapping[str, Any], render: Any) -> str:
    def replacement(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in saved:
            raise UnsavedValueError(name)
        return str(render(saved[name]))

    return _PLACEHOLDER.sub(replacement, text) if "{{" in text else text


def _url_text(value: Any) -> str:
    return quote(encode_text(value_text(value)), safe=_URL_SAFE)


def _json_text(value: Any) -> str:
    # In a JSON document a placeholder stands within a string: the value's quotes and newlines are escaped.
    return json.dumps(value, ensure_ascii=False)[1:-1] if isinstance(value, str) else value_text(value)


def _is_json(headers: Headers) -> bool:
    return any(name.lower() == "content-type" and "json" in value.lower() for name, value in headers)
