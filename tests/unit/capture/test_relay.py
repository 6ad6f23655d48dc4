"""What a reverse proxy hands on of headers."""

from harness.domain.capture.relay import end_to_end, relocated


def test_headers_of_one_connection_stay_there() -> None:
    headers = (
        ("Connection", "keep-alive, X-Mine"),
        ("connection", "X-Also"),
        ("Keep-Alive", "timeout=5"),
        ("TE", "trailers"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "websocket"),
        ("X-Mine", "1"),
        ("x-also", "2"),
        ("Accept", "a"),
        ("Accept", "b"),
        ("Proxy-Authorization", "kept: it may be for whoever is behind us"),
    )
    assert end_to_end(headers) == (("Accept", "a"), ("Accept", "b"), headers[-1])


def test_a_client_cannot_have_the_framing_dropped() -> None:
    headers = (("Connection", "close, Content-Length, Host"), ("Content-Length", "3"), ("Host", "a"))
    assert end_to_end(headers) == headers[1:]


def test_locations_at_the_upstream_name_the_proxy() -> None:
    headers = (
        ("Location", "http://10.0.0.1:80/a?b"),
        ("location", "http://10.0.0.1:8000/a"),
        ("Location", "/a"),
        ("Link", "http://10.0.0.1:80/a"),
    )
    moved = relocated(headers, "http://10.0.0.1:80", "http://proxy:1")
    assert [value for _, value in moved] == ["http://proxy:1/a?b", *(value for _, value in headers[1:])]
    assert relocated(headers, "http://10.0.0.1:80", None) == headers
