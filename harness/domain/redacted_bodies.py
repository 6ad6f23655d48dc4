"""Secrets in bodies that must be read as their headers say: decoded first, or field by field."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

from harness.domain.compare.content import DEFAULT_DECODERS, decode_encodings, encoding_names
from harness.domain.exchange import Headers
from harness.domain.redacted_charsets import find_wide_charset, recoded
from harness.domain.redacted_forms import Clean, FormRules, is_form, is_multipart
from harness.domain.redaction_marks import find_whole_problem, whole

CODING_HEADERS = frozenset({"content-encoding", "content-type"})
_NO_PARTS = "its parts or characters cannot be told from each other"
_NO_MARK = b"whole "
"""So that no body is taken for a mark already."""


def _gzip(data: bytes, mark: bytes) -> bytes:
    """Carries the mark of the bytes that were received: equal contents compressed otherwise stay other bytes."""
    written = BytesIO()
    with gzip.GzipFile(filename=mark.decode().strip("[]"), mode="wb", fileobj=written, mtime=0) as stream:
        stream.write(data)
    return written.getvalue()


_ENCODERS: Mapping[str, Callable[[bytes, bytes], bytes]] = MappingProxyType(
    {
        "gzip": _gzip,
        "x-gzip": _gzip,
        "deflate": lambda data, _: zlib.compress(data),
        "identity": lambda data, _: data,
    }
)
"""One for each decoder, so that what is stored is read as what was received was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRules:
    """What is done with a body; `mark` stands for a secret, `clean` redacts bytes that need no reading."""

    clean: Clean
    mark: Clean
    forms: FormRules

    @staticmethod
    def applies(name: str, value: str) -> bool:
        """Whether this header says of a body that it must be read first."""
        if name.lower() == "content-type":
            return is_form(value) or find_wide_charset(b"", value) is not None
        return set(encoding_names(value)) != {"identity"}

    def body(self, headers: Headers, body: bytes) -> bytes:
        """The body without secrets, in the same encoding.

        A body without secrets stays byte for byte; of one that cannot be read hash and length are left.
        """
        if find_whole_problem(body) is not None:
            return body
        named = [(name.lower(), value) for name, value in headers]
        codings = ",".join(value for name, value in named if name == "content-encoding")
        kind = next((value for name, value in reversed(named) if name == "content-type"), "")
        names = encoding_names(codings)
        plain, problem = decode_encodings(body, codings, DEFAULT_DECODERS) if names else (body, "")
        clean = None if problem else self._content(plain, kind)
        if clean is None:
            return whole(self.mark(_NO_MARK + body), len(body), problem or _NO_PARTS)
        return body if clean == plain else _encoded(clean, names, self.mark(_NO_MARK + body))

    def _content(self, plain: bytes, kind: str) -> bytes | None:
        if is_multipart(kind):
            return self.forms.multipart(plain, kind)
        charset = find_wide_charset(plain, kind)
        if charset is None:
            return self._text(plain, kind)
        return recoded(plain, charset, lambda text: self._text(text, kind))

    def _text(self, plain: bytes, kind: str) -> bytes:
        return self.clean(self.forms.urlencoded(plain) if is_form(kind) else plain)


def with_length(headers: Headers, before: int, after: int) -> Headers:
    """The headers with the length that they announce moved as the body's was: what was cut off still is."""
    if before == after:
        return headers
    return tuple(
        (
            name,
            str(max(0, int(value) + after - before)) if name.lower() == "content-length" and _is_size(value) else value,
        )
        for name, value in headers
    )


def _is_size(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 18


def _encoded(body: bytes, names: list[str], mark: bytes) -> bytes:
    for name in names:
        body = _ENCODERS[name](body, mark)
    return body
