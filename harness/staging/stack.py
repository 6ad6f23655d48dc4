"""The local cloud: a definition's functions and HTTP API, running from built artifacts."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from harness.domain.cloud import CloudDefinition, FunctionDefinition
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.staging.authorizer import RequestAuthorizer
from harness.staging.build import BuiltArtifacts
from harness.staging.function_launch import FunctionLaunch
from harness.staging.gateway import GatewaySettings, HttpApiGateway
from harness.staging.pool import FunctionPool, InvocationAnswer
from harness.staging.routes import RouteTable
from harness.staging.throttle import TokenBucket


class Service(Protocol):
    """Something that works beside the gateway, such as a poller of a queue."""

    async def start(self) -> None:
        """Works from now on."""

    async def stop(self) -> None:
        """Stops; safe to call twice."""


class LocalCloud:
    """Functions behind a gateway on loopback; used from one event loop on the main thread."""

    def __init__(
        self,
        definition: CloudDefinition,
        artifacts: BuiltArtifacts,
        *,
        runtime_directory: Path,
        aws_endpoint: str | None,
        environment_overrides: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`environment_overrides` holds variables by function key that replace Terraform's; none are logged.

        Raises:
            ConfigurationError: a function has no artifact, a layer was not built, or a route leads nowhere.
        """
        self._definition = definition
        self._artifacts = artifacts
        self._directory = runtime_directory
        self._aws_variables = {"AWS_ENDPOINT_URL": aws_endpoint} if aws_endpoint else {}
        self._overrides = environment_overrides or {}
        self._launches = {function.key: self._launch(function) for function in definition.functions}
        self._routes = RouteTable(definition.routes)
        for route in definition.routes:
            if route.function_key not in self._launches:
                what = f"the route {route.route_key} leads to the unknown function {route.function_key}"
                raise ConfigurationError(what, hint=f"Functions: {', '.join(sorted(self._launches))}.")
        self._authorizers = {
            found.name: RequestAuthorizer(found, self, region=definition.region) for found in definition.authorizers
        }
        self._pools: dict[str, FunctionPool] = {}
        self._gateway: HttpApiGateway | None = None
        self._sources: list[Service] = []
        self._followers: list[Service] = []

    @property
    def gateway_url(self) -> str:
        """Base address of the HTTP API, without a trailing slash; empty until it was started."""
        return self._gateway.url if self._gateway else ""

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes of all execution environments that live now."""
        return tuple(pid for pool in self._pools.values() for pid in pool.pids)

    @property
    def notes(self) -> tuple[str, ...]:
        """Where this machine's cloud is another than the definition's: belongs beside every figure from it."""
        here = self._artifacts.interpreter.runtime
        runtimes = (
            f"{function.key}: the definition says {function.runtime}, run with {here}"
            for function in self._definition.functions
            if function.runtime != here
        )
        return ("cpu: unscaled", *runtimes)

    def attach(self, *, sources: Sequence[Service] = (), followers: Sequence[Service] = ()) -> None:
        """Starts and stops these with this cloud: what invokes functions ends before them, what follows them after."""
        self._sources += sources
        self._followers += followers

    def pool(self, function_key: str) -> FunctionPool:
        """The environments of a function; raises KeyError where there is none or before `start`."""
        return self._pools[function_key]

    async def start(self, *, port: int = 0) -> None:
        """Answers requests once it returns; environments start with the first of them.

        Raises:
            SystemUnavailable: the port is taken.
        """
        inits = asyncio.Semaphore(len(os.sched_getaffinity(0)))
        self._pools = {key: FunctionPool(launch, inits=inits) for key, launch in self._launches.items()}
        gateway = HttpApiGateway(
            routes=self._routes,
            invoker=self,
            settings=GatewaySettings(account_id=self._definition.account_id),
            throttle=self._throttle(),
            authorizers=self._authorizers,
        )
        try:
            await gateway.start(port=port)
        except OSError as error:
            await gateway.stop()
            hint = "Choose another port, or 0 for a free one."
            raise SystemUnavailable(f"the gateway cannot listen: {error}", where=f"port {port}", hint=hint) from error
        self._gateway = gateway
        for service in (*self._followers, *self._sources):
            await service.start()

    async def stop(self) -> None:
        """Stops the gateway and ends every environment; safe to call twice."""
        if self._gateway is not None:
            await self._gateway.stop()
            self._gateway = None
        for service in self._sources:
            await service.stop()
        for pool in self._pools.values():
            await pool.stop()
        for service in self._followers:
            await service.stop()

    @asynccontextmanager
    async def without_sources(self) -> AsyncIterator[None]:
        """Queues and schedules invoke nothing here until the context is left: another cloud gets all that they have."""
        for service in self._sources:
            await service.stop()
        try:
            yield
        finally:
            for service in self._sources:
                await service.start()

    async def invoke(self, function_key: str, event: Mapping[str, object], *, trace_id: str = "") -> InvocationAnswer:
        """Invokes a function directly, as an event source would."""
        return await self._pools[function_key].invoke(event, trace_id=trace_id)

    def _throttle(self) -> TokenBucket | None:
        rate, burst = self._definition.throttle_rate_rps, self._definition.throttle_burst
        if rate is None:
            return None
        return TokenBucket(rate_rps=rate, burst=burst if burst is not None else int(rate))

    def _launch(self, function: FunctionDefinition) -> FunctionLaunch:
        artifact = self._artifacts.functions.get(function.key)
        if artifact is None:
            hint = f"Add a handler below functions/{function.key}/, then run `parakeet build`."
            raise ConfigurationError(f"the function {function.key} has no artifact", hint=hint)
        for layer in function.layers:
            if layer not in self._artifacts.layers:
                known = ", ".join(sorted(self._artifacts.layers))
                what = f"the function {function.key} needs the layer {layer}, which was not built"
                raise ConfigurationError(what, hint=f"Layers that were built: {known}.")
        return FunctionLaunch(
            definition=function,
            region=self._definition.region,
            account_id=self._definition.account_id,
            task_root=artifact.root,
            layer_roots=tuple(self._artifacts.layers[layer].root for layer in function.layers),
            runtime_root=self._artifacts.runtime_directory,
            working_directory=self._directory / function.key,
            variables={**self._aws_variables, **function.environment, **self._overrides.get(function.key, {})},
            python=self._artifacts.interpreter.path,
        )
