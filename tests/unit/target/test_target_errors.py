"""The error tree, what the client is told, and which driver errors mean that something is away."""

import json
import re

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from target import errors
from target.database.outages import credentials_were_refused, unavailable_as_503
from target.errors import DatabaseUnavailable, SecretsUnavailable, TargetError
from target.representable import representable
from target.secrets import fetch_secret
from target.secrets_manager import SecretRefused
from target.settings import Settings

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def subclasses(of: type[TargetError]) -> set[type[TargetError]]:
    return {of}.union(*(subclasses(each) for each in of.__subclasses__()))


def test_the_modules_docstring_is_the_tree():
    drawn = re.findall(r"── (\w+)(?: \((\d+))?", errors.__doc__ or "")
    assert {name for name, _ in drawn} == {each.__name__ for each in subclasses(TargetError) - {TargetError}}
    for name, status in drawn:
        assert not status or getattr(errors, name).status_code == int(status)


@given(json_values)
def test_what_is_representable_can_be_sent(value: object):
    cleaned = representable(value)
    json.dumps(cleaned, allow_nan=False, ensure_ascii=False).encode()
    assert repr(representable(cleaned)) == repr(cleaned)


class DriverError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize("sqlstate", ["08006", "28P01", "3D000", "40001", "40P01", "53300", "57P01", "57P03"])
def test_an_sqlstate_that_means_away_is_503(sqlstate: str):
    with pytest.raises(DatabaseUnavailable) as raised, unavailable_as_503():
        raise DBAPIError("SELECT", {}, DriverError(sqlstate))
    assert credentials_were_refused(raised.value.__cause__) is (sqlstate == "28P01")


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), PoolTimeoutError()])
def test_a_connection_that_cannot_be_had_is_503(error: Exception):
    with pytest.raises(DatabaseUnavailable), unavailable_as_503():
        raise error


@pytest.mark.parametrize("sqlstate", ["42P01", "23505", "22003", ""])
def test_a_wrong_statement_is_not_excused_as_an_outage(sqlstate: str):
    with pytest.raises(OperationalError), unavailable_as_503():
        raise OperationalError("SELECT", {}, DriverError(sqlstate))


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (SecretRefused("AccessDeniedException"), "allow secretsmanager:GetSecretValue"),
        (SecretRefused("ResourceNotFoundException"), "correct AWS_SECRETS_MANAGER_NAME"),
        (EndpointConnectionError(endpoint_url="http://x"), "check the function's network path"),
    ],
)
async def test_a_secret_that_cannot_be_had_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, hint: str
):
    def refuse(_region: str, _name: str) -> str:
        raise error

    monkeypatch.setattr("target.secrets_manager.get_secret_string", refuse)
    with pytest.raises(SecretsUnavailable, match=re.escape(hint)) as raised:
        await fetch_secret(Settings(), "app/dev")
    assert "'app/dev'" in str(raised.value)
