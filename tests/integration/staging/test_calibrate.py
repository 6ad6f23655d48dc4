"""`parakeet calibrate`: the local cloud and another one are asked the same, through real functions."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.fidelity import ONLY_LOCAL
from harness.settings import EnvironmentSettings, Settings
from harness.wiring.calibrate import calibrate

# Bodies over the limits are the point.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")


def _settings(probe_url: str | None) -> Settings:
    return Settings(environments={"dev": EnvironmentSettings(target_url="http://127.0.0.1:1", probe_url=probe_url)})


@pytest.fixture
async def other_cloud() -> AsyncIterator[str]:
    """Answers everything with an empty object: right in nothing but some statuses."""

    async def answer(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.json_response({})

    server = web.ServerRunner(web.Server(answer))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{server.addresses[0][1]}"
    await server.cleanup()


async def test_two_local_clouds_are_the_same_and_the_certificate_says_what_it_is(tmp_path: Path) -> None:
    done = await calibrate("local", Settings(), tmp_path)

    behaviours = done.certificate.behaviours
    assert [found for found in behaviours if not found.is_same] == []
    assert len(behaviours) > 80
    assert not any("(no answer)" in found.local for found in behaviours)
    document = json.loads(done.files[0].read_text(encoding="utf-8"))
    assert document["statement"].startswith(ONLY_LOCAL)
    assert len(document["behaviours"]) == len(behaviours)
    assert ONLY_LOCAL in done.files[1].read_text(encoding="utf-8")


async def test_another_answer_is_a_difference(tmp_path: Path, other_cloud: str) -> None:
    done = await calibrate("dev", _settings(other_cloud), tmp_path)

    same = {(found.name, found.shows): found.is_same for found in done.certificate.behaviours}
    assert not same["path and query", "json /event/rawPath"]
    assert not same["answer: raise", "status"]
    assert same["OPTIONS", "status"]
    assert ONLY_LOCAL not in done.certificate.statement
    assert done.certificate.remote_url == other_cloud


async def test_without_a_probe_function_it_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no probe function") as raised:
        await calibrate("dev", _settings(None), tmp_path)
    assert "--zip" in raised.value.hint
    with pytest.raises(ConfigurationError, match="no environment nowhere"):
        await calibrate("nowhere", _settings(None), tmp_path)
    with pytest.raises(SystemUnavailable):
        await calibrate("dev", _settings("http://127.0.0.1:1"), tmp_path)
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - an empty directory
