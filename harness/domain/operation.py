"""Endpoint templates: which operation a request is, so that findings group by endpoint and not by id."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.domain.request_target import literal_pattern

_VARIABLE = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=[0-9a-f]*\d)[0-9a-f]{12,}", re.IGNORECASE
)
_PARAMETER = re.compile(r"\{([^{}:]+)(:path)?\}")

_MAX_KNOWN = 5_000
"""Paths whose template is remembered; a long capture has a path for every id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    text: str
    pattern: re.Pattern[str]
    rank: tuple[int, int]
    """Number of parameters, then literal length negated: the most literal template comes first."""


class OperationTemplates:
    """Names the operation of a request: `GET /api/trades/{trade_id}`.

    A path that no template of the system's own description matches is generalised: segments that are numbers,
    UUIDs or long hexadecimal strings become `{}`. The query never takes part.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._templates = sorted((_compile(path) for path in paths), key=lambda template: template.rank)
        self._known: dict[str, str] = {}

    @classmethod
    def of_document(cls, document: Any) -> "OperationTemplates":
        """The templates of a parsed OpenAPI document; anything else yields none."""
        paths = document.get("paths") if isinstance(document, dict) else None
        return cls(path for path in paths if isinstance(path, str)) if isinstance(paths, dict) else cls()

    def operation(self, method: str, url: str) -> str:
        """The operation of a request; `url` is path and query."""
        path = re.split(r"[?#]", url, maxsplit=1)[0]
        template = self._known.get(path)
        if template is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            template = self._known[path] = self._find(path) or generalise_path(path)
        return f"{method.upper()} {template}"

    def _find(self, path: str) -> str | None:
        return next((template.text for template in self._templates if template.pattern.fullmatch(path)), None)


def generalise_path(path: str) -> str:
    """`path` with each segment that looks like an identifier replaced by `{}`."""
    return "/".join("{}" if _VARIABLE.fullmatch(segment) else segment for segment in path.split("/"))


def _compile(path: str) -> _Template:
    pattern, end, parameters = "", 0, 0
    for match in _PARAMETER.finditer(path):
        pattern += literal_pattern(path[end : match.start()]) + (".+" if match.group(2) else "[^/]+")
        end, parameters = match.end(), parameters + 1
    pattern += literal_pattern(path[end:])
    literal = len(_PARAMETER.sub("", path))
    return _Template(text=path, pattern=re.compile(pattern), rank=(parameters, -literal))
