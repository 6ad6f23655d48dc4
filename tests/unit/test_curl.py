"""A `curl` command says in the shell what was said on the wire."""

import shlex

import pytest

from harness.domain.curl import curl_command
from harness.domain.exchange import Request, Side
from tests.builders.stored_records import exchange


def command(request: Request) -> str:
    return curl_command(exchange(Side.TARGET, request=request))


def test_the_shell_reads_back_the_same_request() -> None:
    body = '{"a": "it\'s $HOME `x` \\\\ é\\n"}'
    request = Request(method="POST", url="/x?q='a'&b=[1]", headers=(("X-A", 'q"uote'),), body=body.encode())
    words = shlex.split(command(request))
    assert words[words.index("-X") + 1] == "POST"
    assert "http://target:80/x?q='a'&b=[1]" in words
    assert words[words.index("-H") + 1] == 'X-A: q"uote'
    assert words[words.index("--data-binary") + 1] == body


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a\x00b"])
def test_a_body_that_no_argument_carries_is_a_file(body: bytes) -> None:
    assert command(Request(method="PUT", url="/", body=body)).endswith("--data-binary @body.bin")


def test_credentials_become_a_variable_and_empty_headers_stay() -> None:
    headers = (("Authorization", "Bearer [redacted:0123456789abcdef]"), ("X-Empty", ""))
    text = command(Request(method="GET", url="/", headers=headers))
    assert "redacted" not in text
    assert "-H 'Authorization: Bearer '\"$TARGET_TOKEN\"" in text
    assert "-H 'X-Empty;'" in text


def test_head_waits_for_no_body() -> None:
    assert "--head" in command(Request(method="HEAD", url="/"))
