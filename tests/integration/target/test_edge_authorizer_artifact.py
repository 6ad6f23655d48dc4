"""The built edge authorizer before the built API, each under its own role, as Terraform describes them."""

import shutil
from pathlib import Path

import aiohttp
import pytest

from harness.staging.aws import LocalAws
from harness.staging.definition import load_definition
from harness.wiring.functions import local_cloud, start_authoriser
from harness.wiring.packages import build_project

TERRAFORM = Path(__file__).resolve().parents[3] / "terraform"


@pytest.fixture
def with_edge(tmp_path: Path) -> Path:
    """The project's Terraform with the edge switched on."""
    copy = shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    with (copy / "environments" / "local.tfvars").open("a", encoding="utf-8") as file:
        file.write("edge_authorizer = true\n")
    return Path(copy)


async def test_only_what_came_through_the_edge_reaches_the_api(with_edge: Path, tmp_path: Path) -> None:
    definition = load_definition(with_edge)
    aws = LocalAws(tmp_path / "moto.log")
    await aws.start()
    await aws.provision(definition)
    await aws.put_secret(definition.secret("api-keys").name, {"EDGE_ORIGIN_SECRET": "of the edge"})
    authoriser = await start_authoriser(definition, aws)
    cloud = local_cloud(definition, build_project(), authoriser, tmp_path / "functions")
    try:
        await cloud.start()
        statuses = []
        async with aiohttp.ClientSession() as session:
            for secret in (None, "guessed", "of the edge", "of the edge"):
                headers = {} if secret is None else {"x-edge-secret": secret}
                async with session.get(cloud.gateway_url + "/", headers=headers) as response:
                    statuses.append(response.status)
        await cloud.stop()
    finally:
        await cloud.stop()
        await authoriser.stop()
        await aws.stop()

    assert statuses == [401, 403, 200, 200]
    asked = cloud.pool("edge-authorizer").reports
    assert len(asked) == 2, "the second request with the same secret is let in from the cache"
    role = definition.function("edge-authorizer").role
    assert authoriser.unused_statements(role) == (), "what its role grants is what it needs"
    assert all(call.ruling.is_allowed for call in authoriser.calls)
