"""IAM policy documents, read strictly: what is not understood is an error, never a permission.

Source: AWS, "Grammar of the IAM JSON policy language".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.errors import ConfigurationError

_ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One operator on one key, such as `StringEquals` on `s3:prefix`; met by any of `values`."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement; of each pair (`actions`, `not_actions`, …) a document has one."""

    sid: str
    is_allow: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


def parse_policy(document: str, *, name: str = "policy") -> tuple[Statement, ...]:
    """The statements of a JSON document; unnamed ones are called after `name` and their place.

    Raises:
        ConfigurationError: it is not a policy document.
    """
    try:
        raw: Any = json.loads(document)
        statements = raw["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        return tuple(_statement(entry, f"{name}[{index}]") for index, entry in enumerate(listed))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "It needs Statement, and in each an Effect and an Action; see the IAM policy grammar."
        raise ConfigurationError(f"not a policy document: {error}", where=name, hint=hint) from error


def _statement(entry: Mapping[str, Any], name: str) -> Statement:
    unknown = set(entry) - _ELEMENTS
    if unknown:
        raise ValueError(f"{name} has unknown elements: {', '.join(sorted(unknown))}")
    if entry["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"{name} has the Effect {entry['Effect']!r}")
    if ("Action" in entry) == ("NotAction" in entry):
        raise ValueError(f"{name} needs either Action or NotAction")
    return Statement(
        sid=str(entry.get("Sid") or name),
        is_allow=entry["Effect"] == "Allow",
        actions=_texts(entry.get("Action")),
        not_actions=_texts(entry.get("NotAction")),
        resources=_texts(entry.get("Resource")),
        not_resources=_texts(entry.get("NotResource")),
        principals=_principals(entry.get("Principal")),
        not_principals=_principals(entry.get("NotPrincipal")),
        conditions=tuple(_conditions(entry.get("Condition") or {})),
    )


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> list[Condition]:
    return [
        Condition(operator=operator, key=key, values=_texts(values))
        for operator, keys in block.items()
        for key, values in keys.items()
    ]


def _principals(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(text for texts in value.values() for text in _texts(texts))
    return _texts(value)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    return tuple(_text(part) for part in listed)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
