"""The evaluator says what AWS's documentation says of its own examples."""

import json
from typing import Any

import pytest

from harness.domain.errors import ConfigurationError
from harness.staging.iam.conditions import Context, is_met
from harness.staging.iam.evaluate import Call, Judgement, Ruling, evaluate
from harness.staging.iam.policy import Condition, parse_policy

ROLE = "arn:aws:iam::123456789012:role/trades"
OBJECT = "arn:aws:s3:::bucket/a"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", **elements}


def judge(
    *identity: dict[str, Any],
    resource: tuple[dict[str, Any], ...] = (),
    action: str = "s3:GetObject",
    on: str = OBJECT,
    context: Context | None = None,
) -> Ruling:
    call = Call(principal=ROLE, action=action, resource=on, context=context or {})
    return evaluate(call, identity=parse_policy(policy(*identity)), resource=parse_policy(policy(*resource)))


def test_what_is_not_allowed_is_denied_implicitly() -> None:
    assert judge().judgement is Judgement.IMPLICITLY_DENIED
    assert judge(statement(), action="s3:PutObject").judgement is Judgement.IMPLICITLY_DENIED


def test_an_allow_names_the_statement_that_it_rests_on() -> None:
    ruling = judge(statement(Sid="ReadAll"))
    assert ruling.is_allowed
    assert ruling.statements == ("ReadAll",)


def test_an_explicit_deny_wins_over_every_allow() -> None:
    deny = statement("Deny", Sid="NotThis", Resource=OBJECT)
    ruling = judge(statement(), deny)
    assert (ruling.judgement, ruling.statements) == (Judgement.EXPLICITLY_DENIED, ("NotThis",))
    assert judge(statement(), deny, on="arn:aws:s3:::bucket/b").is_allowed


def test_a_deny_of_the_resource_wins_over_an_allow_of_the_role() -> None:
    deny = statement("Deny", Principal="*", Action="s3:*")
    assert judge(statement(), resource=(deny,)).judgement is Judgement.EXPLICITLY_DENIED


def test_within_one_account_an_allow_of_the_resource_is_enough() -> None:
    assert judge(resource=(statement(Principal={"AWS": ROLE}),)).is_allowed
    assert judge(resource=(statement(Principal={"AWS": "123456789012"}),)).is_allowed
    assert judge(resource=(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}),)).is_allowed
    assert not judge(resource=(statement(Principal={"AWS": "arn:aws:iam::123456789012:role/other"}),)).is_allowed
    assert not judge(resource=(statement(),)).is_allowed, "a statement of a resource that names nobody is for nobody"


def test_a_deny_of_all_but_a_principal_spares_that_principal() -> None:
    assert judge(statement(), resource=(statement("Deny", NotPrincipal={"AWS": ROLE}),)).is_allowed
    other = {"AWS": "arn:aws:iam::123456789012:role/other"}
    assert not judge(statement(), resource=(statement("Deny", NotPrincipal=other),)).is_allowed


def test_a_tls_only_policy_denies_plain_http_and_lets_tls_through() -> None:
    tls_only = statement("Deny", Principal="*", Action="s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert judge(statement(), resource=(tls_only,), context={"aws:securetransport": ("true",)}).is_allowed
    plain = judge(statement(), resource=(tls_only,), context={"aws:securetransport": ("false",)})
    assert plain.judgement is Judgement.EXPLICITLY_DENIED


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_condition_on_an_unknown_key_is_unknown_and_not_allowed(effect: str) -> None:
    ruling = judge(
        *([statement()] if effect == "Deny" else []),
        statement(effect, Sid="Vpc", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
    )
    assert (ruling.judgement, ruling.statements) == (Judgement.UNKNOWN, ("Vpc",))
    assert not ruling.is_allowed


def test_an_unknown_key_of_a_statement_about_something_else_does_not_matter() -> None:
    other = statement("Deny", Action="s3:PutObject", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    assert judge(statement(), other).is_allowed


@pytest.mark.parametrize(
    ("pattern", "action", "fits"),
    [
        ("s3:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("s3:Get?bject", "s3:GetObject", True),
        ("*", "sqs:SendMessage", True),
    ],
)
def test_actions_match_without_regard_to_case(pattern: str, action: str, fits: bool) -> None:
    assert judge(statement(Action=pattern, Resource="*"), action=action).is_allowed is fits


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", True),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::Bucket/*", "arn:aws:s3:::bucket/a", False),
        ("arn:aws:s3:::b.cket/*", "arn:aws:s3:::bucket/a", False),
        ("arn:x:secret:parakeet/dev-??????", "arn:x:secret:parakeet/dev-AbC123", True),
        ("arn:x:secret:parakeet/dev-??????", "arn:x:secret:parakeet/dev-AbC1234", False),
        ("arn:x:secret:parakeet/dev-??????", "arn:x:secret:parakeet/dev/api-keys-AbC123", False),
    ],
)
def test_resources_match_with_regard_to_case(pattern: str, resource: str, fits: bool) -> None:
    assert judge(statement(Resource=pattern), on=resource).is_allowed is fits


def test_not_action_and_not_resource_mean_all_others() -> None:
    others = {"Effect": "Allow", "NotAction": "s3:DeleteObject", "NotResource": OBJECT}
    assert not judge(others).is_allowed
    assert judge(others, on="arn:aws:s3:::bucket/b").is_allowed
    assert not judge(others, action="s3:DeleteObject", on="arn:aws:s3:::bucket/b").is_allowed


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "met"),
    [
        ("StringEquals", ("a", "b"), ("b",), True),
        ("StringEquals", ("a",), ("A",), False),
        ("StringEqualsIgnoreCase", ("a",), ("A",), True),
        ("StringNotEquals", ("a", "b"), ("b",), False),
        ("StringNotEquals", ("a", "b"), ("c",), True),
        ("StringLike", ("PotentialParakeet/*",), ("PotentialParakeet/dev",), True),
        ("StringNotLike", ("x*",), ("xy",), False),
        ("Bool", ("true",), ("TRUE",), True),
        ("NumericLessThanEquals", ("10",), ("10",), True),
        ("NumericLessThan", ("10",), ("9.5",), True),
        ("NumericGreaterThan", ("10",), ("ten",), False),
        ("DateGreaterThan", ("2020-01-01T00:00:00Z",), ("2021-01-01T00:00:00Z",), True),
        ("DateLessThan", ("1577836800",), ("2021-01-01T00:00:00Z",), False),
        ("IpAddress", ("203.0.113.0/24",), ("203.0.113.9",), True),
        ("NotIpAddress", ("203.0.113.0/24",), ("203.0.113.9",), False),
        ("ArnLike", ("arn:aws:sns:*:123456789012:alarms-*",), ("arn:aws:sns:us-east-1:123456789012:alarms-dev",), True),
        ("ArnLike", ("arn:aws:sns:*",), ("arn:aws:sns:us-east-1:123456789012:alarms",), False),
        ("ArnNotLike", ("arn:aws:sns:*:*:a",), ("arn:aws:sns:x:1:b",), True),
        ("ForAllValues:StringEquals", ("a", "b"), ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "b"), ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a",), ("c", "a"), True),
        ("ForAnyValue:StringEquals", ("a",), ("c",), False),
        ("StringEqualsIfExists", ("a",), ("b",), False),
        ("Null", ("true",), ("a",), False),
        ("Null", ("false",), ("a",), True),
        ("BinaryEquals", ("YQ==",), ("YQ==",), None),
    ],
)
def test_operators(operator: str, wanted: tuple[str, ...], found: tuple[str, ...], met: bool | None) -> None:
    assert is_met(Condition(operator=operator, key="aws:Key", values=wanted), {"aws:key": found}) is met


@pytest.mark.parametrize(
    ("operator", "met"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("Bool", False),
        ("Null", True),
    ],
)
def test_operators_on_a_key_that_the_request_does_not_have(operator: str, met: bool) -> None:
    assert is_met(Condition(operator=operator, key="aws:Key", values=("true",)), {"aws:key": None}) is met


def test_all_conditions_of_a_statement_have_to_be_met() -> None:
    both = statement(Condition={"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}})
    met: Context = {"a:x": ("1",), "a:y": ("2",), "a:z": ("true",)}
    assert judge(both, context=met).is_allowed
    for key in met:
        assert not judge(both, context={**met, key: ("no",)}).is_allowed


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "{}",
        policy({"Effect": "Maybe", "Action": "s3:GetObject"}),
        policy({"Effect": "Allow"}),
        policy({"Effect": "Allow", "Action": "a:b", "NotAction": "a:c"}),
        policy({"Effect": "Allow", "Action": "a:b", "Actions": "a:c"}),
    ],
)
def test_what_is_not_a_policy_is_an_error_and_never_a_permission(document: str) -> None:
    with pytest.raises(ConfigurationError, match="not a policy document"):
        parse_policy(document, name="role trades")
