"""A request as a `curl` command that sends the same bytes."""

import shlex

from harness.domain.exchange import Exchange

_REDACTED = "[redacted:"


def curl_command(exchange: Exchange) -> str:
    """The command for a POSIX shell.

    Credentials become `$LEGACY_TOKEN` or `$TARGET_TOKEN`, a body that no argument can carry the file `body.bin`:
    the reader provides both.
    """
    request = exchange.request
    parts = ["curl -sS -i --globoff --path-as-is", f"-X {shlex.quote(request.method)}"]
    if request.method == "HEAD":
        parts[1] = "--head"
    parts.append(shlex.quote(exchange.base_url + request.url))
    parts += [_header(name, value, f"{exchange.side.upper()}_TOKEN") for name, value in request.headers]
    if request.body is not None:
        parts.append(_body(request.body))
    return " ".join(parts)


def _header(name: str, value: str, variable: str) -> str:
    start = value.find(_REDACTED)
    if start < 0:
        # `Name:` alone would remove a header; `Name;` sends it empty.
        return f"-H {shlex.quote(f'{name}: {value}' if value else f'{name};')}"
    return f'-H {shlex.quote(f"{name}: {value[:start]}")}"${variable}"'


def _body(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    # NUL and broken UTF-8 cannot stand in an argument; bash's $'…' cannot carry NUL either.
    return "--data-binary @body.bin" if "\0" in text else f"--data-binary {shlex.quote(text)}"
