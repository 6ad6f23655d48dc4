"""Artifacts are built once a worker; what runs from them is each test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.staging.build import BuiltArtifacts
from harness.staging.pool import FunctionPool
from harness.staging.stack import LocalCloud
from tests.builders import lambda_cloud


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> BuiltArtifacts:
    """The built probe functions."""
    return lambda_cloud.build_probe_functions(tmp_path_factory.mktemp("product"))


@pytest.fixture
async def make_pool(artifacts: BuiltArtifacts, tmp_path: Path) -> AsyncIterator[Callable[..., FunctionPool]]:
    """Makes pools that are stopped at the end."""
    made: list[FunctionPool] = []

    def make(**options: Any) -> FunctionPool:
        made.append(lambda_cloud.pool(artifacts, tmp_path, **options))
        return made[-1]

    yield make
    for pool in made:
        await pool.stop()


@pytest.fixture
async def make_cloud(artifacts: BuiltArtifacts, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[LocalCloud]]]:
    """Makes started clouds that are stopped at the end."""
    made: list[LocalCloud] = []

    async def make(definition: Any = None, **options: Any) -> LocalCloud:
        cloud = LocalCloud(
            definition or lambda_cloud.definition(),
            artifacts,
            runtime_directory=tmp_path,
            aws_endpoint=options.pop("aws_endpoint", None),
            **options,
        )
        made.append(cloud)
        await cloud.start()
        return cloud

    yield make
    for cloud in made:
        await cloud.stop()
