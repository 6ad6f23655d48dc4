"""A side's credential goes where the system looks for it, and never over one that a request brings."""

import pytest

from harness.domain.credential import credential_header, secret_part
from harness.domain.exchange import Exchange, Headers, Request
from harness.engine.replay_sides import ReplaySide


class Nobody:
    """Is sent nothing."""

    async def send(self, request: Request) -> Exchange:
        raise AssertionError(request)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("given", "header", "secret"),
    [
        ("abc.d-e", ("Authorization", "Bearer abc.d-e"), "abc.d-e"),
        ("X-Api-Key: abc", ("X-Api-Key", "abc"), "abc"),
        ("Authorization: Basic dTpw", ("Authorization", "Basic dTpw"), "dTpw"),
        ("a:b", ("Authorization", "Bearer a:b"), "a:b"),
    ],
)
def test_a_credential_names_its_header_or_is_a_bearer_token(given: str, header: tuple[str, str], secret: str) -> None:
    assert credential_header(given) == header
    assert secret_part(given) == secret


@pytest.mark.parametrize(
    ("brought", "is_added"),
    [((), True), ((("x-api-key", "own"),), False), ((("authorization", "own"),), False), ((("X-Other", "a"),), True)],
)
def test_it_is_added_where_a_request_brings_none(brought: Headers, is_added: bool) -> None:
    side = ReplaySide(client=Nobody(), token="X-Api-Key: abc")
    sent = side.authorized(Request(method="GET", url="/", headers=brought), None).headers
    assert sent == (*brought, *((("X-Api-Key", "abc"),) if is_added else ()))
