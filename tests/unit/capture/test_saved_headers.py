"""Ids that an answer gives in its headers alone are referred to, saved and filled in like those of a body."""

from harness.domain.session import Step
from harness.domain.substitution import extract_saves, find_header_save
from tests.unit.capture.test_references import Recording

PORT = "8a1e1c5e-3d5f-4f0a-9a53-0a6d3f3b1c11"


def _saving(saved: str) -> Step:
    return Step(n=1, name="make", method="POST", url="/ports", save=(("it", saved),))


def test_an_id_in_a_location_is_referred_to_wherever_it_stands() -> None:
    recording = Recording()
    recording.add("POST", "/ports", {"name": "Kiel"}, status=201, sets=(("Location", f"/v2/ports/{PORT}"),))
    found = recording.add("POST", f"/v2/ports/{PORT}/ships", {"name": "a"})
    assert found.step.url == "/v2/ports/{{location_1}}/ships"
    assert [(each.step, each.pointer) for each in found.sources] == [(1, "header location segment -1")]


def test_a_number_in_a_location_is_about_what_stands_before_it() -> None:
    recording = Recording()
    recording.add("POST", "/v2/ports", {}, status=201, sets=(("Location", "http://x/v2/ports/17/"),))
    assert recording.add("GET", "/v2/ports/17?page=17").step.url == "/v2/ports/{{location_1}}?page=17"
    assert recording.add("GET", "/v2/users/17").step.url == "/v2/users/17"


def test_a_redirect_to_a_page_gives_nothing_to_refer_to() -> None:
    recording = Recording()
    recording.add("POST", "/v2/login", {}, status=303, sets=(("Location", "/v2/welcome/page"),))
    assert recording.add("GET", "/v2/welcome/page").step.url == "/v2/welcome/page"


def test_an_id_in_a_header_of_its_own_and_a_version_are_referred_to() -> None:
    recording = Recording()
    recording.add("POST", "/ships", {}, status=201, sets=(("X-Ship-Id", "S-17"), ("ETag", '"3"')))
    found = recording.add("PUT", "/ships/S-17", {}, headers=(("If-Match", '"3"'),))
    assert found.step.url == "/ships/{{x_ship_id_1}}"
    assert ("If-Match", "{{etag_1}}") in found.step.headers
    assert recording.add("GET", "/users/S-17").step.url == "/users/S-17"


def test_a_member_of_a_body_that_is_called_like_a_header_is_still_a_member() -> None:
    recording = Recording()
    recording.add("POST", "/jars", {}, {"cookie": {"id": 17}})
    (source,) = recording.add("GET", "/cookie/17").sources
    assert source.pointer == "/cookie/id"


def test_a_header_is_saved_whole_or_by_a_segment_of_its_path() -> None:
    headers = (("Location", "https://x/v2/h%C3%A4fen/7/"), ("X-Id", "a b"))
    assert extract_saves(_saving("header x-id"), None, headers) == {"it": "a b"}
    assert extract_saves(_saving("header location segment -1"), None, headers) == {"it": "7"}
    assert extract_saves(_saving("header location segment -2"), None, headers) == {"it": "häfen"}
    assert extract_saves(_saving("header location segment -4"), None, headers) == {}
    assert extract_saves(_saving("header x-none"), None, headers) == {}


def test_what_a_later_request_took_of_a_header_is_found_whole_or_as_its_last_such_segment() -> None:
    headers = (("Location", "/7/ports/7"), ("X-Id", "a"))
    assert find_header_save("X-Id", headers, "a") == "header x-id"
    assert find_header_save("location", headers, "7") == "header location segment -1"
    assert find_header_save("location", headers, "8") is None
    assert find_header_save("x-none", headers, "8") is None
