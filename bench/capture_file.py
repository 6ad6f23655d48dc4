"""A HAR of any length as a browser would save it, the same on every machine."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

PAGE_ENTRIES = 20
_ORIGIN = "https://shop.example.test"
_START = datetime(2026, 2, 4, 9, 0, tzinfo=UTC)
_GAP = timedelta(milliseconds=250)
_WRITING_PAGES, _FIRST_WRITING_PAGE = 1_000, 5
"""Every such page writes, so that its session runs alone."""
_SENT = (
    (":authority", "shop.example.test"), (":method", "GET"), (":scheme", "https"), ("accept", "application/json"),
    ("accept-language", "en-AU,en;q=0.9"), ("cookie", "session=0123456789abcdef"), ("authorization", "Bearer a.b.c"),
    ("sec-ch-ua", '"Chromium";v="140"'), ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
)  # fmt: skip
_RECEIVED = (("content-type", "application/json"), ("set-cookie", "session=0123456789abcdef"), ("x-cache", "Miss"))


def write_capture(path: Path, entries: int) -> int:
    """Writes as many requests that can be replayed, and among them some that cannot; returns the size in bytes."""
    chance = random.Random(20260204)
    with path.open("wb") as file:
        file.write(
            b'{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"pages":[],"entries":['
        )
        for number, entry in enumerate(_entries(entries, chance)):
            file.write((b",\n" if number else b"\n") + orjson.dumps(entry))
        file.write(b"\n]}}\n")
    return path.stat().st_size


def _entries(count: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    for start in range(0, count, PAGE_ENTRIES):
        page = [_entry(number, chance) for number in range(start, min(start + PAGE_ENTRIES, count))]
        chance.shuffle(page)  # they are written as they end
        yield from page
        yield _beyond(start)


def _entry(number: int, chance: random.Random) -> dict[str, Any]:
    page = number // PAGE_ENTRIES
    writes = page % _WRITING_PAGES == _FIRST_WRITING_PAGE and number % PAGE_ENTRIES == 0
    request: dict[str, Any] = {
        "method": "POST" if writes else "GET",
        "url": f"{_ORIGIN}/api/items/{number}?view={number % 3}",
        "httpVersion": "http/2.0",
        "headers": [{"name": name, "value": value} for name, value in _SENT],
        "queryString": [{"name": "view", "value": str(number % 3)}],
        "cookies": [{"name": "session", "value": "0123456789abcdef"}],
        "headersSize": -1,
        "bodySize": 0,
    }
    if writes:
        request["postData"] = {"mimeType": "application/json", "text": f'{{"item":{number}}}'}
    text = orjson.dumps({"id": number, "note": "".join(chance.choices('abc "{}[]\\é', k=chance.randint(300, 1_200)))})
    return {
        "_initiator": {"type": "script", "stack": {"callFrames": []}},
        "_priority": "High",
        "_resourceType": "fetch",
        "pageref": f"page_{page + 1}",
        "startedDateTime": (_START + number * _GAP).isoformat(timespec="milliseconds"),
        "time": 12.5,
        "request": request,
        "response": {
            "status": 200,
            "headers": [{"name": name, "value": value} for name, value in _RECEIVED],
            "content": {"size": len(text), "mimeType": "application/json", "text": text.decode()},
        },
        "timings": {"send": 0.1, "wait": 12, "receive": 0.4},
    }


def _beyond(number: int) -> dict[str, Any]:
    """What every page has beside it and no replay sends."""
    url = ("data:image/png;base64,AAAA", "wss://shop.example.test/live", "https://cdn.test/a.js")[number % 3]
    request = {"method": "GET", "url": url, "headers": []}
    began = (_START + number * _GAP).isoformat()
    return {"startedDateTime": began, "request": request, "response": {"status": 0}, "pageref": "page_1"}
