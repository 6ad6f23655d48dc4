"""What IAM itself says of the roles that were applied (criterion P1.7): one role each, nothing wider than named."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.domain.cloud import CloudDefinition, FunctionDefinition
from harness.domain.criterion import Check

ClientFactory = Callable[[str], Any]

# A wildcard may only follow a literal name: what a log stream or a secret's random suffix is called.
_BOUNDED_RESOURCE = re.compile(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:[^*?]*[a-z0-9][^*?]*([*?].*)?")
_BUCKET_RESOURCE = re.compile(r"arn:aws:s3:::[^*?]+")


def check_roles(client: ClientFactory, definition: CloudDefinition) -> list[Check]:
    """For each function's role: trust, policies, wildcards; and that no two functions share one."""
    iam = client("iam")
    owners = [function.role for function in definition.functions]
    checks = [
        Check(
            name="each function has a role of its own",
            passed=len(set(owners)) == len(owners),
            detail=", ".join(owners),
        )
    ]
    for function in definition.functions:
        checks += _check_role(iam, function, definition)
    return checks


def _check_role(iam: Any, function: FunctionDefinition, definition: CloudDefinition) -> list[Check]:
    role = iam.get_role(RoleName=function.role)["Role"]
    trusted = [statement.get("Principal") for statement in role["AssumeRolePolicyDocument"]["Statement"]]
    attached = iam.list_attached_role_policies(RoleName=function.role)["AttachedPolicies"]
    names = iam.list_role_policies(RoleName=function.role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=function.role, PolicyName=name)["PolicyDocument"] for name in names]
    wide = sorted(_wide(documents))
    granted = sorted(_grants(documents))
    named = next((entry.policies for entry in definition.roles if entry.name == function.role), ())
    return [
        Check(
            name=f"only Lambda may take the role of {function.key}",
            passed=trusted == [{"Service": "lambda.amazonaws.com"}],
            detail=str(trusted),
        ),
        Check(
            name=f"the role of {function.key} has no ready-made policy",
            passed=not attached,
            detail=", ".join(policy["PolicyName"] for policy in attached) or "none is attached",
        ),
        Check(
            name=f"the role of {function.key} grants named actions on named resources",
            passed=bool(granted) and not wide,
            detail="; ".join(wide or granted) or "it grants nothing",
        ),
        Check(
            name=f"the role of {function.key} is the one that the local cloud judges by",
            passed=bool(named) and _canonical(documents) == _canonical(json.loads(policy) for policy in named),
            detail=f"{len(documents)} policies applied, {len(named)} defined",
        ),
    ]


def _canonical(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(document, sort_keys=True) for document in documents)


def _statements(documents: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for document in documents:
        yield from document["Statement"]


def _grants(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    return {action for statement in _statements(documents) for action in _listed(statement.get("Action"))}


def _wide(documents: Iterable[Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    for statement in _statements(documents):
        sid = str(statement.get("Sid", "a statement"))
        found |= {
            f"{sid}: {key} grants all but what it names" for key in ("NotAction", "NotResource") if key in statement
        }
        found |= {f"{sid}: action {action}" for action in _listed(statement.get("Action")) if "*" in action}
        found |= {f"{sid}: resource {name}" for name in _listed(statement.get("Resource")) if not _is_bounded(name)}
    return found


def _is_bounded(resource: str) -> bool:
    return bool(_BOUNDED_RESOURCE.fullmatch(resource) or _BUCKET_RESOURCE.match(resource))


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]
