"""The target answers the recorded legacy session, apart from the documented fixes (docs/adr/0005)."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from target_support import LEGACY, client_of, settings_for

from target.app import create_app

NOT_FOUND = 404
UNPROCESSABLE = 422

# What the target answers instead, by the exchange's name: status, and the one validation error's type and place.
FIXED: dict[str, tuple[int, tuple[str, tuple[str, ...]] | None]] = {
    "trades_status_bad": (UNPROCESSABLE, ("enum", ("query", "status"))),
    "trades_sort_metadata": (UNPROCESSABLE, ("sort_key", ("query", "sort_by"))),
    "trades_sort_method": (UNPROCESSABLE, ("sort_key", ("query", "sort_by"))),
    "trades_sort_doc": (UNPROCESSABLE, ("sort_key", ("query", "sort_by"))),
    "trades_page_huge": (UNPROCESSABLE, ("less_than_equal", ("query", "page"))),
    "create_nan": (UNPROCESSABLE, ("greater_than", ("body", "quantity"))),
    "create_inf": (UNPROCESSABLE, ("finite_number", ("body", "quantity"))),
    # What follows from nothing poisoned having been stored:
    "list_after_inf": (200, None),
    "portfolio_after_inf": (200, None),
    "get_after_status_null": (200, None),
    "list_after_status_null": (200, None),
    "delete_poisoned2": (NOT_FOUND, None),
}
# Trade 104 is still open here, as its status was never lost: two figures differ, the rest is compared.
STILL_OPEN = {"metrics_after_status_null": {"/open_positions", "/portfolio/cash_balance", "/portfolio/invested_value"}}
HEADERS = (
    "content-type",
    "location",
    "allow",
    "vary",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
)
OURS = ("/api/trades", "/health", "/nope", "/dashboard")


def recorded() -> list[dict[str, Any]]:
    path = LEGACY / "session.jsonl"
    if not path.exists():
        return []
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return [line for line in lines if line["n"] <= 153 and _is_ours(line["request"]["url"])]


def _is_ours(url: str) -> bool:
    return url in {"/", "/api"} or url.startswith(OURS)


async def test_the_recorded_session_is_answered_alike(seeded_url: str) -> None:
    app = create_app(settings_for(seeded_url))
    mismatches: list[str] = []
    compared = 0
    async with client_of(app) as client:
        for line in recorded():
            answer = await _send(client, line["request"])
            if line["name"] in FIXED:
                _assert_fixed(line["name"], answer)
            elif line["response"] is not None:
                compared += 1
                mismatches += _differences(line, answer)
    await app.state.database.dispose()
    assert not mismatches, "\n".join(mismatches)
    assert compared >= 80


async def _send(client: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    content = {"json": request["json"]} if "json" in request else {"content": request.get("raw", "").encode()}
    return await client.request(request["method"], request["url"], headers=request.get("headers"), **content)


def _assert_fixed(name: str, answer: httpx.Response) -> None:
    status, error = FIXED[name]
    assert answer.status_code == status, name
    if error is not None:
        (entry,) = answer.json()["detail"]
        assert (entry["type"], tuple(entry["loc"])) == error, name


def _differences(line: dict[str, Any], answer: httpx.Response) -> Iterator[str]:
    expected, name = line["response"], line["name"]
    if answer.status_code != expected["status"]:
        yield f"{name}: {answer.status_code} for {expected['status']}"
    for header in HEADERS:
        ours, theirs = answer.headers.get(header), expected["headers"].get(header)
        if ours != (theirs and theirs.replace("$BASE", "http://target.test")):
            yield f"{name}: header {header} {ours!r} for {theirs!r}"
    body = answer.json() if "json" in answer.headers.get("content-type", "") and answer.content else answer.text
    loose = {*line.get("volatile", ()), *STILL_OPEN.get(name, ())}
    yield from (f"{name}: {text}" for text in _unequal(body, expected["body"], "", loose))


def _unequal(ours: Any, theirs: Any, pointer: str, loose: set[str]) -> Iterator[str]:
    if theirs == "$TEXT" and isinstance(ours, str) and ours:
        return
    if type(ours) is not type(theirs):
        yield f"{pointer}: {ours!r} for {theirs!r}"
    elif isinstance(theirs, dict):
        yield from _unequal_objects(ours, theirs, pointer, loose)
    elif isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield f"{pointer}: {len(ours)} entries for {len(theirs)}"
        for index, pair in enumerate(zip(ours, theirs, strict=False)):
            yield from _unequal(*pair, f"{pointer}/{index}", loose)
    elif _shape(ours, pointer, loose) != _shape(theirs, pointer, loose):
        yield f"{pointer}: {ours!r} for {theirs!r}"


def _unequal_objects(ours: dict[str, Any], theirs: dict[str, Any], pointer: str, loose: set[str]) -> Iterator[str]:
    if list(ours) != list(theirs):
        yield f"{pointer}: keys {list(ours)} for {list(theirs)}"
    for key in ours.keys() & theirs.keys():
        yield from _unequal(ours[key], theirs[key], f"{pointer}/{key}", loose)


def _shape(value: object, pointer: str, loose: set[str]) -> str:
    """The value itself, or for a volatile one its form."""
    if pointer not in loose:
        return repr(value)
    return re.sub(r"\d+", "9", value) if isinstance(value, str) else type(value).__name__


@pytest.fixture(autouse=True)
def _needs_the_recording() -> None:
    if not recorded():
        pytest.skip(f"no recorded session at {LEGACY}")
