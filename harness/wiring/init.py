"""A new project to judge: the files that it starts with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from harness.adapters.evidence_store import write_atomically
from harness.adapters.http import HttpSide
from harness.adapters.session_writer import encode_session_file
from harness.domain.description import described_operations
from harness.domain.errors import ConfigurationError, SystemUnavailable, unwritable
from harness.domain.exchange import Request, Side
from harness.domain.session import Session, Step
from harness.settings import FILE_NAME
from harness.wiring.replay import SESSIONS_DIRECTORY
from harness.wiring.rules import DEFAULT_WAIVERS
from harness.wiring.settings_text import render_settings

SESSION_FILE = f"{SESSIONS_DIRECTORY}/example.json"
_DOCUMENT_PATH = "/openapi.json"
_WAIVERS = """\
# Where the target answers or stores differently on purpose. Each waiver says what both sides do: anything else is still
# a difference. It has an owner, and from the day after `expires_on` it explains nothing.
#
# An example: remove the single `#` of its lines.
#
#[[waiver]]
#id = "negative-page"
#quirk = "Q1"
#reason = "A negative page is the client's mistake: 422 instead of 500."
#owner = "backend lead"
#expires_on = 2030-12-31
#
## Which requests: operation, query, headers and body must all fit.
#[waiver.match]
#operation = "GET /orders"
#query = { page = "re:-[0-9]+" }
#
## What each side answers, completely. $TEXT, $NUMBER, $ANY and others stand for values; "$REST" for further members.
#[waiver.expect.legacy]
#status = 500
#body = { detail = "$TEXT" }
#
#[waiver.expect.target]
#status = 422
#body = { detail = "$TEXT", "$REST" = "$ANY" }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What was written, and how much of the described system the example session reads."""

    files: tuple[Path, ...]
    operations: int
    """How many the description names; 0 without one."""
    read: int
    """How many of them the session sends."""


async def write_project(directory: Path, openapi: str | None = None) -> NewProject:
    """Writes settings, waivers and an example session into a directory, which is made where it is absent.

    `openapi` is the address of a running system or of its OpenAPI document, or a file that holds one: the session
    then reads every path of it that needs no value.

    Raises:
        ConfigurationError: a file is there already, the directory cannot be written to, or the document is unusable;
            nothing was written.
        SystemUnavailable: the address does not answer.
    """
    _require_absent(directory)
    operations = () if openapi is None else await _operations(openapi)
    urls = tuple(dict.fromkeys(_plain_reads(operations))) or ("/",)
    content = _content(urls)
    try:
        for name, data in content.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(directory / name, data)
    except OSError as error:
        hint = "Choose a directory that can be written to."
        raise unwritable(error, where=str(directory), hint=hint, what="cannot write the project") from error
    files = tuple(directory / name for name in content)
    return NewProject(files=files, operations=len(operations), read=len(urls) if operations else 0)


def _content(urls: Sequence[str]) -> Mapping[str, bytes]:
    steps = tuple(Step(n=number, name=f"read {url}", method="GET", url=url) for number, url in enumerate(urls, start=1))
    session = Session(id="example", group="example", steps=steps, source=SESSION_FILE)
    description = "What answers without anything being known; replace it by what your users do."
    return {
        FILE_NAME: render_settings().encode(),
        DEFAULT_WAIVERS: _WAIVERS.encode(),
        SESSION_FILE: encode_session_file(session, description),
    }


def _require_absent(directory: Path) -> None:
    for name in (FILE_NAME, DEFAULT_WAIVERS, SESSION_FILE):
        if (directory / name).exists():
            hint = "Nothing was written. Choose another directory, or move that file away."
            raise ConfigurationError("the file is there already", where=str(directory / name), hint=hint)


async def _operations(openapi: str) -> tuple[str, ...]:
    data = await _fetch(openapi) if "://" in openapi else _read(Path(openapi))
    try:
        document: Any = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        hint = "Give an OpenAPI document in JSON; FastAPI serves it as /openapi.json."
        raise ConfigurationError(f"the description is not JSON: {error}", where=openapi, hint=hint) from error
    operations = tuple(described_operations(document))
    if not operations:
        hint = "Give an OpenAPI document with `paths`; FastAPI serves it as /openapi.json."
        raise ConfigurationError("the description names no operation", where=openapi, hint=hint)
    return operations


def _plain_reads(operations: Sequence[str]) -> list[str]:
    return [name.removeprefix("GET ") for name in operations if name.startswith("GET ") and "{" not in name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "Give a file, or an address that starts with http://."
        raise ConfigurationError(
            f"cannot read the description: {error.strerror}", where=str(path), hint=hint
        ) from error


async def _fetch(address: str) -> bytes:
    parts = urlsplit(address)
    path = parts.path if parts.path not in {"", "/"} else _DOCUMENT_PATH
    client = HttpSide(Side.LEGACY, f"{parts.scheme}://{parts.netloc}")
    try:
        answer = (
            await client.send(Request(method="GET", url=path, headers=(("Accept", "application/json"),)))
        ).response
    finally:
        await client.close()
    if answer is None or answer.status != 200:
        said = "it does not answer" if answer is None else f"it answers {answer.status}"
        hint = "Start the system, or give the address or the file of its OpenAPI document."
        raise SystemUnavailable(f"no description: {said}", where=f"{client.base_url}{path}", hint=hint)
    return answer.body
