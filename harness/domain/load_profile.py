"""What load consists of: weighted operations, and a seeded open-loop schedule of them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request

SEQUENCE = "{{sequence}}"
"""Stands for a number that no other request of the run carries, so that creates stay unique."""


class LoadOperation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of request with its share of the traffic."""

    name: str
    method: str
    url: str
    weight: int = 1
    body: str | None = None
    content_type: str = "application/json"

    def request(self, sequence: str) -> Request:
        """The request to send; `sequence` replaces the placeholder in address and body."""
        body = None if self.body is None else self.body.replace(SEQUENCE, sequence).encode()
        headers = () if body is None else (("content-type", self.content_type),)
        return Request(method=self.method, url=self.url.replace(SEQUENCE, sequence), headers=headers, body=body)


class LoadProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Operations in the proportion in which users make them."""

    format_version: int
    operation: list[LoadOperation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that is due `at_s` seconds after the start, whether or not earlier ones were answered."""

    at_s: float
    operation: LoadOperation


def parse_load_profile(raw: Mapping[str, Any], *, where: str) -> LoadProfile:
    """A profile from its TOML document.

    Raises:
        ConfigurationError: an unknown key, a wrong type, another version, or no operation with weight.
    """
    try:
        profile = msgspec.convert(raw, LoadProfile)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the load profile is wrong: {error}", where=where) from error
    if profile.format_version != 1:
        raise ConfigurationError(f"load profile version {profile.format_version} is not 1", where=where)
    if not any(operation.weight > 0 for operation in profile.operation):
        raise ConfigurationError("the load profile has no operation with a weight above 0", where=where)
    return profile


def plan_arrivals(profile: LoadProfile, *, count: int, rate_rps: float, seed: str) -> tuple[Arrival, ...]:
    """`count` Poisson arrivals at `rate_rps`; the same seed gives the same schedule on both sides."""
    # The schedule has to repeat, not to be unpredictable.
    chooser = random.Random(seed)  # noqa: S311
    weights = [operation.weight for operation in profile.operation]
    arrivals = []
    due_s = 0.0
    for operation in chooser.choices(profile.operation, weights=weights, k=count):
        due_s += chooser.expovariate(rate_rps)
        arrivals.append(Arrival(at_s=due_s, operation=operation))
    return tuple(arrivals)
