"""The target's cloud as Terraform describes it, provider-neutral enough to run locally."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition:
    """A Lambda function: `name` is the deployed name, `key` the short one (`trades`)."""

    key: str
    name: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_s: int
    environment: Mapping[str, str]
    role: str
    layers: tuple[str, ...] = ()
    reserved_concurrency: int | None = None
    architecture: str = "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDefinition:
    """An HTTP API route: `route_key` is `ANY /api/trades/{proxy+}` or `$default`."""

    route_key: str
    function_key: str
    authorizer: str | None = None
    """Name of the authorizer that is asked first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerDefinition:
    """A REQUEST authorizer with simple answers; `ttl_s` 0 means that no answer is kept."""

    name: str
    function_key: str
    identity_sources: tuple[str, ...] = ()
    ttl_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDefinition:
    """An SQS queue; after `max_receive_count` receipts a message goes to the queue named `dead_letter`."""

    name: str
    visibility_timeout_s: int = 30
    dead_letter: str | None = None
    max_receive_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceDefinition:
    """A queue that invokes a function with batches of its messages."""

    queue: str
    function_key: str
    batch_size: int = 10
    maximum_concurrency: int = 2
    reports_item_failures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDefinition:
    """A clock that invokes a function with `input`, a JSON document."""

    name: str
    expression: str
    function_key: str
    timezone: str = "UTC"
    input: str = "{}"
    maximum_retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketDefinition:
    """A bucket by its full name; `policy` is its JSON document."""

    key: str
    name: str
    policy: str | None = None
    cors_origins: tuple[str, ...] = ()
    is_versioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDefinition:
    """A secret by its full name; its value never comes from Terraform."""

    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDefinition:
    """A role by its name, with the JSON documents of its policies."""

    name: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudDefinition:
    """Everything that the local cloud stands up."""

    environment: str
    region: str
    account_id: str
    functions: tuple[FunctionDefinition, ...]
    routes: tuple[RouteDefinition, ...]
    buckets: tuple[BucketDefinition, ...]
    secrets: tuple[SecretDefinition, ...]
    throttle_rate_rps: float | None = None
    throttle_burst: int | None = None
    roles: tuple[RoleDefinition, ...] = ()
    authorizers: tuple[AuthorizerDefinition, ...] = ()
    queues: tuple[QueueDefinition, ...] = ()
    event_sources: tuple[EventSourceDefinition, ...] = ()
    schedules: tuple[ScheduleDefinition, ...] = ()

    def function(self, key: str) -> FunctionDefinition:
        """The function of that key; raises KeyError where there is none."""
        return _by_key(self.functions, key)

    def bucket(self, key: str) -> BucketDefinition:
        """The bucket of that key; raises KeyError where there is none."""
        return _by_key(self.buckets, key)

    def secret(self, key: str) -> SecretDefinition:
        """The secret of that key; raises KeyError where there is none."""
        return _by_key(self.secrets, key)


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=_Keyed)


def _by_key(definitions: Iterable[_K], key: str) -> _K:
    for definition in definitions:
        if definition.key == key:
            return definition
    raise KeyError(key)
