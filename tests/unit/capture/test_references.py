"""Values of earlier answers are found in later requests, and others are left alone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.domain.capture.references import References
from harness.domain.capture.steps import Captured, RecordedStep, Unsendable, recorded_step
from harness.domain.exchange import Exchange, Headers, Request, Response, Side
from harness.domain.redaction import Redactor
from harness.domain.substitution import fill_request

_START = datetime(2026, 3, 1, tzinfo=UTC)
_JSON = ("content-type", "application/json")


class Recording:
    """One session, an exchange a second."""

    def __init__(self) -> None:
        self.redactor = Redactor(key=b"k")
        self.references = References(self.redactor.secret)
        self.number = 0

    def add(
        self,
        method: str,
        url: str,
        body: Any = None,
        answer: Any = None,
        *,
        headers: Headers = (),
        sets: Headers = (),
        status: int = 200,
        sent_at: float | None = None,
        takes_s: float = 0.1,
        text: str | None = None,
    ) -> RecordedStep:
        self.number += 1
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = () if body is None or any(name == "content-type" for name, _ in headers) else (_JSON,)
        exchange = Exchange(
            side=Side.LEGACY,
            base_url="http://x",
            request=Request(method=method, url=url, headers=(*headers, *kind), body=data),
            response=Response(
                status=status, headers=(_JSON, *sets), body=(json.dumps(answer) if text is None else text).encode()
            ),
            sent_at=_START + timedelta(seconds=self.number if sent_at is None else sent_at),
            duration_ms=takes_s * 1000,
        )
        captured = Captured(exchange=exchange, address="a")
        return recorded_step(captured, self.number, self.references, self.redactor)


def test_an_id_that_a_write_gave_is_referred_to_in_path_query_and_body() -> None:
    recording = Recording()
    recording.add("POST", "/api/trades/", {"ticker": "AAPL"}, {"id": 17, "ticker": "AAPL"})
    path = recording.add("GET", "/api/trades/17/notes?page=17")
    assert path.step.url == "/api/trades/{{id_1}}/notes?page=17"
    assert [(each.name, each.step, each.pointer) for each in path.sources] == [("id_1", 1, "/id")]
    assert recording.add("GET", "/api/notes?trade_id=17").step.url == "/api/notes?trade_id={{id_1}}"
    body = recording.add("POST", "/api/notes", {"trade_id": 17, "size": 17, "trade_ids": [17, 3], "n": "17"})
    assert body.step.body == '{"trade_id": {{id_1}}, "size": 17, "trade_ids": [{{id_1}}, 3], "n": "17"}'
    filled = fill_request(body.step, {"id_1": 99})
    assert filled.body == b'{"trade_id": 99, "size": 17, "trade_ids": [99, 3], "n": "17"}'


def test_a_number_that_is_a_secret_is_referred_to_and_sent_as_a_number() -> None:
    recording = Recording()
    given = recording.add("POST", "/api/login", {}, {"token": 482913})
    assert "482913" not in str(given)
    used = recording.add("POST", "/api/confirm", {"token": 482913, "password": 77})
    assert used.step.body is not None
    assert used.step.body.startswith('{"token": {{token_1}}, "password": "[redacted:number:')
    assert used.has_secret


def test_an_id_of_something_else_is_not_taken() -> None:
    recording = Recording()
    recording.add("POST", "/api/users", {}, {"id": 3, "count": 5})
    assert recording.add("GET", "/api/trades/3").sources == ()
    assert recording.add("GET", "/api/users/5").sources == ()
    assert recording.add("GET", "/api/users/3").step.url == "/api/users/{{id_1}}"


def test_the_same_number_of_two_things_is_told_apart() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 3})
    recording.add("POST", "/users", {}, {"id": 3})
    assert recording.add("GET", "/users/3/x/trades/3").step.url == "/users/{{id_2}}/x/trades/{{id_1}}"


def test_an_id_that_was_given_again_is_that_of_the_last_write() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 3})
    recording.add("GET", "/trades", None, [{"id": 3}])
    recording.add("POST", "/trades", {}, {"id": 3})
    recording.add("GET", "/trades/3", None, {"id": 3})
    assert recording.add("GET", "/trades/3").step.url == "/trades/{{id_3}}"


def test_a_token_is_referred_to_though_it_is_a_secret() -> None:
    recording = Recording()
    login = recording.add("POST", "/login", {"user": "u", "password": "p4ss"}, {"access_token": "s3cr3t!"})
    used = recording.add("GET", "/me", headers=(("Authorization", "Bearer s3cr3t!"), ("X-CSRF-Token", "s3cr3t!")))
    assert used.step.headers == (
        ("Authorization", "Bearer {{access_token_1}}"),
        ("X-CSRF-Token", "{{access_token_1}}"),
    )
    assert (login.has_secret, used.withheld) == (True, ())
    assert "p4ss" not in str(login) and "s3cr3t!" not in str((login, used))


def test_a_cookie_is_saved_by_its_name_and_foreign_ones_are_withheld() -> None:
    recording = Recording()
    recording.add("POST", "/login", {}, {}, sets=(("Set-Cookie", "sid=abc; Path=/; HttpOnly"),))
    used = recording.add("GET", "/me", headers=(("Cookie", "seen=xyz; sid=abc"),))
    assert used.step.headers == (("Cookie", "sid={{cookie_sid_1}}"),)
    assert used.sources[0].pointer == "cookie sid"
    assert len(used.withheld) == 1 and "xyz" not in str(used)


def test_an_unknown_credential_is_withheld_and_equality_stays() -> None:
    recording = Recording()
    first, again, other = (
        recording.add("GET", "/", headers=(("Authorization", f"Bearer {token}"),)) for token in ("one", "one", "two")
    )
    assert first.step.headers == ()
    assert first.withheld == again.withheld != other.withheld


def test_what_the_client_sent_first_is_its_own() -> None:
    recording = Recording()
    name = "5f1d7a52-6a1e-4d0f-9f53-0c8f5f2f0a11"
    recording.add("PUT", f"/things/{name}", {}, {"id": name})
    assert recording.add("GET", f"/things/{name}").sources == ()


def test_machine_made_values_are_found_anywhere() -> None:
    recording = Recording()
    cursor = "eyJvZmZzZXQiOjEwMH0x"
    recording.add("GET", "/list", None, {"next": cursor})
    assert recording.add("GET", f"/list?after={cursor}").step.url == "/list?after={{next_1}}"


def test_an_answer_that_came_too_late_is_no_source() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 7}, sent_at=1, takes_s=5)
    assert recording.add("GET", "/trades/7", sent_at=3).sources == ()
    assert recording.add("GET", "/trades/7", sent_at=7).sources != ()


def test_an_error_gives_nothing_out() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 7}, status=422)
    assert recording.add("GET", "/trades/7").sources == ()


def test_equal_names_of_one_answer_are_told_apart() -> None:
    recording = Recording()
    first, second = "0123456789abcdef", "fedcba9876543210"
    recording.add("GET", "/pages", None, {"a_b": first, "a": {"b": second}})
    used = recording.add("GET", f"/list?from={first}&to={second}")
    assert used.step.url == "/list?from={{a_b_1}}&to={{a_b_1_2}}"
    assert [source.pointer for source in used.sources] == ["/a_b", "/a/b"]


@pytest.mark.parametrize(
    ("url", "body", "why"), [("/", b"\xff\xfe", "binary"), ("/{{x}}", None, "reference"), ("/", b"{{x}}", "reference")]
)
def test_what_a_step_cannot_carry_is_refused(url: str, body: bytes | None, why: str) -> None:
    with pytest.raises(Unsendable, match=why):
        Recording().add("POST", url, body)


def test_text_around_a_reference_stays_byte_for_byte() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 17})
    text = b'{ "trade_id" :17 , "note":"\\u00e9 {\\"id\\": 17}", "x": [1.50, 1e3, -0.0, true, null, {"a":"b"}] }'
    step = recording.add("POST", "/notes", text).step
    assert step.body == text.decode().replace(":17 ,", ":{{id_1}} ,")


def test_a_form_is_read_as_its_parameters() -> None:
    recording = Recording()
    recording.add("POST", "/trades", {}, {"id": 17})
    form = ("content-type", "application/x-www-form-urlencoded")
    assert recording.add("POST", "/notes", b"trade_id=17&n=17", headers=(form,)).step.body == "trade_id={{id_1}}&n=17"


def test_an_answer_that_is_nested_deeper_than_can_be_walked_is_kept_as_its_text() -> None:
    recording = Recording()
    for depth in (250, 3000):
        nested = '{"id":' * depth + "1" + "}" * depth
        step = recording.add("GET", "/deep", text=nested).step
        assert step.recorded is not None and step.recorded.body == nested
        assert recording.add("POST", "/deep", nested.encode()).step.body == nested
