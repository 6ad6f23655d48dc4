"""Decodes a response's body: content encoding, charset, JSON or text, whatever the bytes are."""

import codecs
import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any

from harness.domain.compare.document import Document, parse_json
from harness.domain.exchange import Headers, Response
from harness.domain.redaction_marks import find_whole_problem

Decoder = Callable[[bytes], bytes]
_MAX_DECODED_BYTES = 256 * 1024 * 1024
_NOTHING_FOLLOWS = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body as far as it could be read: `problem` says why no further."""

    body: bytes
    problem: str = ""
    media_type: str = ""
    charset: str = "utf-8"

    @property
    def declares_json(self) -> bool:
        """Whether the content type is JSON (`application/json`, `application/problem+json`)."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    def document(self) -> Document | None:
        """The parsed JSON; None for anything else."""
        if self.problem or not self.body.strip():
            return None
        return parse_json(self.body)

    def text(self) -> str | None:
        """The decoded text; None for bytes that are not text in the declared charset."""
        try:
            return self.body.decode(self.charset)
        except (LookupError, UnicodeDecodeError):
            return None


def decode(response: Response, decoders: Mapping[str, Decoder]) -> Content:
    """Reads a response's body; never raises, whatever the bytes."""
    named = _named(response.headers)
    body, problem = response.body, ""
    if "content-encoding" in named:
        body, problem = decode_encodings(response.body, ",".join(named["content-encoding"]), decoders)
    media_type, charset = _parse_content_type(named["content-type"][-1] if "content-type" in named else "")
    problem = problem or _truncation(response, named.get("content-length", [""])[-1])
    return Content(body=body, problem=problem, media_type=media_type, charset=charset)


def _named(headers: Headers) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower.startswith("content-"):
            named.setdefault(lower, []).append(value)
    return named


@lru_cache(maxsize=256)
def _parse_content_type(text: str) -> tuple[str, str]:
    media_type, *parameters = text.split(";")
    charset = "utf-8"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    try:
        codecs.lookup(charset)
    except (LookupError, ValueError):
        charset = "utf-8"
    return media_type.strip().lower(), charset


def decode_encodings(body: bytes, text: str, decoders: Mapping[str, Decoder]) -> tuple[bytes, str]:
    """The body without the encodings of a `Content-Encoding`, and why it could not be read further, if so.

    A body that was redacted as a whole cannot be read for the reason that it names.
    """
    stored = find_whole_problem(body)
    if stored is not None:
        return body, stored
    for name in reversed(encoding_names(text)):
        decoder = decoders.get(name)
        if decoder is None:
            return body, f"no decoder for content-encoding {name}"
        if not body:  # an answer to HEAD names the encoding that GET would have
            return body, ""
        try:
            body = decoder(body)
        except (OSError, EOFError, ValueError, RuntimeError, zlib.error) as error:
            return body, f"content-encoding {name} cannot be decoded: {type(error).__name__}"
    return body, ""


def encoding_names(text: str) -> list[str]:
    """The encodings that a `Content-Encoding` names, in lower case, in the order in which they were applied."""
    return [name for name in (part.strip().lower() for part in text.split(",")) if name]


def _truncation(response: Response, announced: str) -> str:
    if response.is_truncated:
        return "truncated"
    if not announced.isdigit() or not response.body or response.status in _NOTHING_FOLLOWS:
        return ""
    if int(announced[:18]) > len(response.body):
        return f"truncated: {len(response.body)} of {announced[:18]} bytes"
    return ""


def _gunzip(body: bytes) -> bytes:
    with gzip.GzipFile(fileobj=BytesIO(body)) as stream:
        decoded = stream.read(_MAX_DECODED_BYTES)
        if len(decoded) == _MAX_DECODED_BYTES and stream.read(1):
            raise EOFError  # what lies behind was not compared
    return decoded


def _inflate(body: bytes) -> bytes:
    try:
        return _bounded(zlib.decompressobj(), body)
    except zlib.error:  # some servers send raw deflate under the name of the zlib format
        return _bounded(zlib.decompressobj(wbits=-15), body)


def _bounded(stream: Any, body: bytes) -> bytes:
    decoded: bytes = stream.decompress(body, _MAX_DECODED_BYTES)
    if not stream.eof or stream.unused_data:
        raise EOFError
    return decoded


DEFAULT_DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate, "identity": bytes}
)
"""What the standard library decodes; whoever has one adds `br`."""
