"""Which function a request goes to: API Gateway's route selection for HTTP APIs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from harness.domain.cloud import RouteDefinition
from harness.domain.errors import ConfigurationError

DEFAULT_ROUTE = "$default"
_ROUTE_KEY = re.compile(r"(?P<method>ANY|GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) (?P<path>/\S*)")
_VARIABLE = re.compile(r"\{(?P<name>[^{}+]+)(?P<greedy>\+?)\}")
_STATIC, _VARIABLE_RANK, _GREEDY = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """The route that was selected, with its decoded path parameters."""

    route_key: str
    function_key: str
    path_parameters: Mapping[str, str]
    authorizer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    definition: RouteDefinition
    method: str
    segments: tuple[str, ...]

    @property
    def rank(self) -> tuple[tuple[int, ...], bool]:
        """Sorts the most specific first: segment by segment, then a named method before ANY."""
        return tuple(_rank_of(segment) for segment in self.segments), self.method == "ANY"

    def match(self, method: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The path parameters, or None where this route doesn't fit."""
        if self.method not in ("ANY", method):
            return None
        parameters: dict[str, str] = {}
        for position, wanted in enumerate(self.segments):
            variable = _VARIABLE.fullmatch(wanted)
            if variable and variable["greedy"]:
                rest = "/".join(segments[position:])
                return parameters | {variable["name"]: unquote(rest)} if _is_below(position, segments) else None
            if position >= len(segments):
                return None
            if variable and segments[position]:
                parameters[variable["name"]] = unquote(segments[position])
            elif unquote(segments[position]) != wanted:
                return None
        return parameters if len(segments) == len(self.segments) else None


class RouteTable:
    """The routes of one HTTP API.

    Source: Amazon API Gateway developer guide, "Routing API requests": full match, then a greedy path variable,
    then `$default`.
    """

    def __init__(self, definitions: Iterable[RouteDefinition]) -> None:
        """Raises ConfigurationError for a route key that API Gateway would refuse."""
        found = tuple(definitions)
        self._default = next((route for route in found if route.route_key == DEFAULT_ROUTE), None)
        explicit = [_parse(route) for route in found if route.route_key != DEFAULT_ROUTE]
        self._routes = sorted(explicit, key=lambda route: route.rank)

    def find(self, method: str, path: str) -> RouteMatch | None:
        """The route for a path as it came over the wire, or None if there is none, not even `$default`."""
        segments = tuple(path.split("/")[1:])
        for route in self._routes:
            parameters = route.match(method, segments)
            if parameters is not None:
                return _matched(route.definition, parameters)
        return _matched(self._default, {}) if self._default else None


def _matched(definition: RouteDefinition, parameters: Mapping[str, str]) -> RouteMatch:
    return RouteMatch(
        route_key=definition.route_key,
        function_key=definition.function_key,
        path_parameters=parameters,
        authorizer=definition.authorizer,
    )


def _parse(definition: RouteDefinition) -> _Route:
    parsed = _ROUTE_KEY.fullmatch(definition.route_key)
    if parsed is None:
        raise _refused(definition, "Write `METHOD /path`, `ANY /path/{proxy+}` or `$default`.")
    segments = tuple(parsed["path"].split("/")[1:])
    if any(_rank_of(segment) == _GREEDY for segment in segments[:-1]):
        raise _refused(definition, "A greedy variable must be the last part of the path.")
    return _Route(definition=definition, method=parsed["method"], segments=segments)


def _rank_of(segment: str) -> int:
    variable = _VARIABLE.fullmatch(segment)
    if variable is None:
        return _STATIC
    return _GREEDY if variable["greedy"] else _VARIABLE_RANK


def _is_below(position: int, segments: tuple[str, ...]) -> bool:
    """Whether a greedy variable has its part: something, or nothing after the slash that ends a longer path.

    AWS refuses route keys that end with a slash, and users reach `/metrics/` by `/metrics/{proxy+}` there
    (storacha/w3infra, pull request 166), while `/` needs a route of its own.
    """
    return position < len(segments) and (position > 0 or bool(segments[position]))


def _refused(definition: RouteDefinition, hint: str) -> ConfigurationError:
    return ConfigurationError(f"the route key {definition.route_key!r} is not valid", hint=hint)
