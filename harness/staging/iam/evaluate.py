"""IAM's decision on one call within one account.

Source: AWS, "Policy evaluation logic": an explicit deny wins, then an allow of the role's or the resource's policy,
and all else is denied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.staging.iam.conditions import Context, are_met
from harness.staging.iam.policy import Statement
from harness.staging.iam.wildcards import matches


class Judgement(StrEnum):
    """What IAM would say; UNKNOWN where a condition key is not known here: INCONCLUSIVE, and never let through."""

    ALLOWED = "allowed"
    EXPLICITLY_DENIED = "explicitly denied"
    IMPLICITLY_DENIED = "implicitly denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One action on one resource by one principal."""

    principal: str
    """ARN of the role."""
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The judgement, and the statements that it rests on, by Sid."""

    judgement: Judgement
    statements: tuple[str, ...] = ()

    @property
    def is_allowed(self) -> bool:
        """True only where IAM certainly lets the call through."""
        return self.judgement is Judgement.ALLOWED


def evaluate(call: Call, *, identity: Sequence[Statement], resource: Sequence[Statement] = ()) -> Ruling:
    """Rules on a call by the policies of the role (`identity`) and of what it is made on (`resource`)."""
    applicable = [
        *((statement, _applies(statement, call)) for statement in identity),
        *((statement, _applies_to_principal(statement, call)) for statement in resource),
    ]
    denies = [(statement, met) for statement, met in applicable if not statement.is_allow]
    allows = [(statement, met) for statement, met in applicable if statement.is_allow]
    for judgement, statements, wanted in (
        (Judgement.EXPLICITLY_DENIED, denies, True),
        (Judgement.UNKNOWN, denies, None),
        (Judgement.ALLOWED, allows, True),
        (Judgement.UNKNOWN, allows, None),
    ):
        found = tuple(statement.sid for statement, met in statements if met is wanted)
        if found:
            return Ruling(judgement=judgement, statements=found)
    return Ruling(judgement=Judgement.IMPLICITLY_DENIED)


def _applies_to_principal(statement: Statement, call: Call) -> bool | None:
    if statement.not_principals:
        is_named = not _names(statement.not_principals, call.principal)
    else:
        is_named = _names(statement.principals, call.principal)
    return _applies(statement, call) if is_named else False


def _applies(statement: Statement, call: Call) -> bool | None:
    action = call.action.lower()
    if statement.actions and not _any(action, (pattern.lower() for pattern in statement.actions)):
        return False
    if statement.not_actions and _any(action, (pattern.lower() for pattern in statement.not_actions)):
        return False
    if statement.resources and not _any(call.resource, statement.resources):
        return False
    if statement.not_resources and _any(call.resource, statement.not_resources):
        return False
    return are_met(statement.conditions, call.context)


def _any(value: str, patterns: Iterable[str]) -> bool:
    return any(matches(value, pattern) for pattern in patterns)


def _names(principals: Iterable[str], principal: str) -> bool:
    """A principal is named by its ARN, by its account (its number or root ARN), or by a star."""
    account = principal.split(":")[4] if principal.count(":") >= 5 else ""
    return any(name in ("*", principal, account, f"arn:aws:iam::{account}:root") for name in principals if name)
