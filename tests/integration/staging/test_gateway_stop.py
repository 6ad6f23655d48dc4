"""A gateway that is stopped while requests are under way."""

import asyncio
from collections.abc import Mapping

import aiohttp
import pytest

from harness.domain.errors import SystemUnavailable
from harness.staging.gateway import GatewaySettings, HttpApiGateway
from harness.staging.pool import InvocationAnswer
from harness.staging.routes import RouteTable
from tests.builders.lambda_cloud import definition


async def test_what_a_request_comes_to_after_the_stop_is_not_complained_of(caplog: pytest.LogCaptureFixture) -> None:
    asked, stopped, failed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class Ending:
        async def invoke(self, function_key: str, event: Mapping[str, object], *, trace_id: str) -> InvocationAnswer:
            asked.set()
            await stopped.wait()
            asyncio.get_running_loop().call_soon(failed.set)
            raise SystemUnavailable("the local cloud has been stopped")

    routes = RouteTable(definition().routes)
    gateway = HttpApiGateway(routes=routes, invoker=Ending(), settings=GatewaySettings(account_id="1"))
    await gateway.start()
    async with aiohttp.ClientSession() as session:
        asking = asyncio.ensure_future(session.get(gateway.url))
        await asked.wait()
        asking.cancel()
        await asyncio.wait([asking])
    await gateway.stop()
    stopped.set()
    await failed.wait()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not caplog.records
