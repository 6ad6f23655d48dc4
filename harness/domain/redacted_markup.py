"""Secrets in XML and HTML: what stands in elements and attributes of secret names, and in the fields of a form."""

import re
from collections.abc import Callable
from html import unescape

from harness.domain.secret_names import is_secret_name

Mark = Callable[[bytes], bytes]
_TAG = re.compile(
    rb"""<(/?)(?:[\w.-]{1,60}:)?([a-z_][\w.-]{0,80})((?:\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)?)>""", re.IGNORECASE
)
_ATTRIBUTE = re.compile(rb"""(?:(?<=\s)|(?<=:))([a-z_][\w.-]*)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>/]+)""", re.IGNORECASE)
_NAMING = frozenset({b"name", b"id", b"key", b"property"})
_NAMED = frozenset({b"value", b"content"})
_VOID = frozenset({b"input", b"meta", b"link", b"br", b"hr", b"img"})


def redact_markup(data: bytes, mark: Mark) -> bytes:
    """The bytes with a mark for every text in or below an element of a secret name, and for such an attribute.

    Namespaces do not count. Where a tag names a secret (`name`, `id`, `key`), its `value` or `content` is one. An
    element that is not closed reaches to the end. Every other byte stays.
    """
    written, kept = list[bytes](), 0
    inside, depth = b"", 0
    for tag in _TAG.finditer(data):
        text = data[kept : tag.start()]
        written.append(_marked(text, mark) if inside else text)
        closes, name, attributes = tag[1], tag[2].lower(), tag[3]
        written.append(data[tag.start() : tag.start(3)] + _attributes(attributes, mark) + b">")
        kept = tag.end()
        is_open = not attributes.endswith(b"/") and name not in _VOID
        if not inside and not closes and is_open and is_secret_name(name.decode()):
            inside, depth = name, 1
        elif name == inside and (closes or is_open):
            depth += -1 if closes else 1
            inside = inside if depth else b""
    rest = data[kept:]
    return b"".join([*written, _marked(rest, mark) if inside else rest])


def _marked(text: bytes, mark: Mark) -> bytes:
    content = text.strip()
    if not content:
        return text
    start = text.index(content)
    return text[:start] + mark(_plain(content)) + text[start + len(content) :]


def _attributes(text: bytes, mark: Mark) -> bytes:
    if b"=" not in text:
        return text
    named = any(
        found[1].lower() in _NAMING and is_secret_name(_content(found[3]).decode("utf-8", "replace"))
        for found in _ATTRIBUTE.finditer(text)
    )

    def replaced(found: re.Match[bytes]) -> bytes:
        name, content = found[1].lower(), _content(found[3])
        is_secret = is_secret_name(name.decode()) or (named and name in _NAMED)
        if not is_secret or not content:
            return found[0]
        quote = found[3][:1] if found[3][:1] in {b'"', b"'"} else b""
        return found[1] + found[2] + quote + mark(_plain(content)) + quote

    return _ATTRIBUTE.sub(replaced, text)


def _content(value: bytes) -> bytes:
    return value[1:-1] if value[:1] in {b'"', b"'"} else value


def _plain(content: bytes) -> bytes:
    """Equal secrets have equal marks, however they are escaped."""
    if content.startswith(b"<![CDATA[") and content.endswith(b"]]>"):
        return content[9:-3]
    return unescape(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
