"""What is a secret, and what is written in its place: the one set of rules for everything that is stored.

A secret becomes `[redacted:HASH]`. HASH is keyed with a key that a finished run does not keep: equal secrets stay
equal, different ones different, and nothing else can be read from it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import AnyStr, TypeVar

from msgspec import structs

from harness.domain.exchange import Exchange, Headers, Request, Response
from harness.domain.redacted_bodies import CODING_HEADERS, BodyRules, with_length
from harness.domain.redacted_charsets import is_wide
from harness.domain.redacted_forms import FormRules
from harness.domain.redacted_json import redact_members
from harness.domain.redacted_markup import redact_markup
from harness.domain.redaction_marks import MARK, as_bytes_mark, as_number_mark
from harness.domain.secret_names import NAMES, is_secret_header, is_secret_name

_WITH_SCHEMES = frozenset({"authorization", "proxy-authorization"})
_SCHEMES = frozenset({"bearer", "basic", "token"})
_PARAMETER = re.compile(rb"((?:^|[?&;])(?:" + NAMES.encode() + rb")=)([^&;#\s]+)", re.IGNORECASE)
# Each begins where nothing before it could have begun, so that a long text is read once and not from every byte anew.
_USER_INFO = re.compile(rb"(://[^\s/:@\"']*:)([^\s/@\"']+)(?=@)")
_JWT = re.compile(rb"(?<![\w\-])(?=[\w\-]+\.[\w\-]+\.)([\w\-]*?)(eyJ[\w\-]{5,}\.[\w\-]+\.[\w\-]*)")
_TEXT_HINTS = ("pass", "pwd", "secret", "token", "key", "credential", "authorization", "jwt", "session", "eyj", "\\u00")
_HINTS = tuple(hint.encode() for hint in _TEXT_HINTS)
"""In lower case: without one of these, or an address that may name a user, nothing is a secret."""
_MAX_REMEMBERED = 5_000
_MAX_REMEMBERED_LENGTH = 4_096
_Seen = TypeVar("_Seen", bound=str | bytes)
COOKIE_PAIR = re.compile(r"(?<![^=;\s])([^=;\s]+=)([^;]*)")
"""A cookie's name with its sign of equality, and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redactor:
    """Replaces secrets, byte-exact everywhere else: bodies are never parsed and written again.

    Only one with a secret in an encoding is encoded anew, and one that cannot be read is not kept.
    """

    key: bytes = field(repr=False)
    known: tuple[str, ...] = field(default=(), repr=False)
    """Secrets given on the command line, replaced wherever they appear."""
    _headers: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict, repr=False, compare=False)
    _clean: set[str | bytes] = field(default_factory=set, repr=False, compare=False)
    """Texts and bodies that held no secret: what one side answered in one pass, the others mostly answer too."""
    _clean_urls: set[str] = field(default_factory=set, repr=False, compare=False)
    _coded: set[str] = field(default_factory=set, repr=False, compare=False)
    """Headers that said of any body so far how it must be read: while none did, nobody looks for them."""

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange as it may be stored."""
        base_url, request = self.text(exchange.base_url), self.request(exchange.request)
        response = None if exchange.response is None else self.response(exchange.response)
        if base_url == exchange.base_url and request is exchange.request and response is exchange.response:
            return exchange
        return structs.replace(exchange, base_url=base_url, request=request, response=response)

    def request(self, request: Request) -> Request:
        """The request without secrets in URL, headers and body."""
        url, headers = self.url(request.url), self.headers(request.headers)
        body = None if request.body is None else self._body(request.headers, request.body)
        if (url, headers, body) == (request.url, request.headers, request.body):
            return request
        headers = with_length(headers, len(request.body or b""), len(body or b""))
        return structs.replace(request, url=url, headers=headers, body=body)

    def url(self, url: str) -> str:
        """Path and query without secrets."""
        if url in self._clean_urls:
            return url
        clean = self.text(url)
        if "=" in clean:
            path, mark, query = _text_of(self._parameters(_bytes_of(clean))).partition("?")
            is_plain = "%" not in query and "[" not in query and "." not in query
            clean = path + mark + (query if is_plain else _text_of(self._forms().urlencoded(_bytes_of(query))))
        if clean == url:
            _remember(url, self._clean_urls)
        return clean

    def response(self, response: Response) -> Response:
        """The response without secrets in headers and body."""
        headers = self.headers(response.headers)
        body = self._body(response.headers, response.body)
        if headers == response.headers and body == response.body:
            return response
        headers = with_length(headers, len(response.body), len(body))
        return structs.replace(response, headers=headers, body=body)

    def headers(self, headers: Headers) -> Headers:
        """The multimap with the values of secret headers replaced; schemes and cookie names stay."""
        if len(self._headers) > _MAX_REMEMBERED:
            self._headers.clear()
        # The same few headers come with every answer.
        return tuple([self._headers.get(header) or self._remember_header(header) for header in headers])

    def _remember_header(self, header: tuple[str, str]) -> tuple[str, str]:
        name, value = header
        if name.lower() in CODING_HEADERS and BodyRules.applies(name, value):
            self._coded.add(name.lower())
        found = self._headers[header] = (name, self._header(name.lower(), value))
        return found

    def text(self, text: str) -> str:
        """Any text without secrets."""
        if text in self._clean:
            return text
        if self.known or _may_hold_secret(text.lower(), _TEXT_HINTS, ("://", "@")):
            return _text_of(self.data(_bytes_of(text)))
        _remember(text, self._clean)
        return text

    def data(self, data: bytes) -> bytes:
        """Any bytes, such as a body, without secrets."""
        if data in self._clean:
            return data
        given = data
        for secret in self.known:
            data = data.replace(_bytes_of(secret), self._mark(_bytes_of(secret)))
        if not _may_hold_secret(data.lower(), _HINTS, (b"://", b"@")):
            if data == given:
                _remember(data, self._clean)
            return data
        data = redact_members(data, self._mark)
        data = _USER_INFO.sub(self._replaced, data)
        if b"eyJ" in data:
            data = _JWT.sub(self._replaced, data)
        if data[:1] in b'{["':
            return data
        return self._parameters(redact_markup(data, self._mark) if b"<" in data else data)

    def value(self, name: str, json_text: str | None) -> str | None:
        """The JSON text of a value found under `name`, as it may be stored."""
        if json_text is None or not is_secret_name(name):
            return None if json_text is None else self.text(json_text)
        member = f'"{name}":'
        return self.text(member + json_text)[len(member) :]

    def secret(self, text: str) -> str:
        """What stands for a text that is a secret as a whole."""
        return _text_of(self._mark(_bytes_of(text)))

    def number(self, text: str) -> str:
        """What stands for a number that is a secret, in its one spelling; never what stands for the same text."""
        return as_number_mark(self.secret(text))

    def blob(self, data: bytes) -> str:
        """What stands for bytes that are a secret as a whole; never what stands for the same text."""
        return as_bytes_mark(_text_of(self._mark(b"bytes " + data)))

    def _header(self, name: str, value: str) -> str:
        if not is_secret_header(name):
            return self.text(value)
        if name == "set-cookie":
            return COOKIE_PAIR.sub(self._cookie, value, count=1)
        if name == "cookie":
            return COOKIE_PAIR.sub(self._cookie, value)
        scheme, space, credential = value.partition(" ")
        has_scheme = space and (name in _WITH_SCHEMES or scheme.lower() in _SCHEMES)
        return f"{scheme}{space}{self.secret(credential)}" if has_scheme else self.secret(value)

    def _cookie(self, match: re.Match[str]) -> str:
        return match.group(1) + self.secret(match.group(2))

    def _body(self, headers: Headers, body: bytes) -> bytes:
        """The body, read as its headers say; called after `self.headers(headers)`."""
        if not body or not (self._coded or is_wide(body)):
            return self.data(body)
        return BodyRules(clean=self.data, mark=self._mark, forms=self._forms()).body(headers, body)

    def _forms(self) -> FormRules:
        return FormRules(is_secret_name, self._mark, self.data)

    def _parameters(self, data: bytes) -> bytes:
        return _PARAMETER.sub(self._replaced, data)

    def _replaced(self, match: re.Match[bytes]) -> bytes:
        return match.group(1) + self._mark(match.group(2))

    def _mark(self, secret: bytes) -> bytes:
        if not secret or secret.startswith(_MARK):
            return secret
        digest = hmac.new(self.key, secret, hashlib.sha256).hexdigest()[:16]
        return _MARK + digest.encode() + b"]"


_MARK = MARK.encode()


def secrets_worth_hiding(values: Iterable[str | None]) -> tuple[str, ...]:
    """Of the secrets given, those long enough that replacing them everywhere hides nothing else; longest first."""
    return tuple(sorted({value for value in values if value and len(value) >= 8}, key=len, reverse=True))


def _may_hold_secret(lower: AnyStr, hints: tuple[AnyStr, ...], address: tuple[AnyStr, AnyStr]) -> bool:
    for hint in hints:  # not `any`: this runs for every text that is stored
        if hint in lower:
            return True
    return address[0] in lower and address[1] in lower


def _remember(clean: _Seen, among: set[_Seen]) -> None:
    if len(clean) > _MAX_REMEMBERED_LENGTH:
        return
    if len(among) >= _MAX_REMEMBERED:
        among.clear()
    among.add(clean)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
