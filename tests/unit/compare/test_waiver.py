"""Waiver files: what is read, and what is refused with its reason."""

import pytest

from harness.domain.difference import Comparison, Outcome
from harness.domain.errors import WaiverError
from harness.domain.waiver import count_hits, parse_waivers

GOOD = """
[[waiver]]
id = "a"
quirk = "Q4"
reason = "A client's mistake."
owner = "backend lead"
expires_on = 2027-02-01
match = { operation = "GET /api/x/" }
expect.legacy = { status = 500, body = { error = "$TEXT" } }
expect.target = { status = 422, body = { detail = "$LIST" } }
"""


def test_good_waiver_is_read() -> None:
    (waiver,) = parse_waivers(GOOD)
    assert waiver.expect is not None
    assert waiver.expect.legacy.statuses == (500,)
    assert waiver.match.operations == ("GET /api/x/",)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('owner = "backend lead"', "", "owner"),
        ('owner = "backend lead"', 'owner = " "', "`owner` is empty"),
        ('owner = "backend lead"', 'owner = "x"\nownr = "y"', "ownr"),
        ("2027-02-01", '"soon"', "date"),
        ("2027-02-01", "2027-02-30", "TOML"),
        ('operation = "GET /api/x/"', "", "every request"),
        ('operation = "GET /api/x/"', 'operation = "GET /*"', "names no endpoint"),
        ('operation = "GET /api/x/"', 'operation = "GET /api/x/", querry = {}', "querry"),
        ('body = { error = "$TEXT" }', 'body = "$ANY"', "hide any difference"),
        ('body = { error = "$TEXT" }', 'body = { "$REST" = "$ANY" }', "hide any difference"),
        ('error = "$TEXT"', 'error = "$PROSE"', "$PROSE"),
        ('error = "$TEXT"', 'error = "re:("', "regular expression"),
        ('error = "$TEXT"', 'error = "re:(?s).*"', "matches any text"),
        ('status = 422, body = { detail = "$LIST" }', 'status = 500, body = { error = "$TEXT" }', "nothing to waive"),
        ('id = "a"', 'id = "a', "TOML"),
        ("[[waiver]]", "[[waver]]", "waver"),
    ],
)
def test_bad_waiver_is_refused_with_the_reason(old: str, new: str, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(WaiverError) as caught:
        parse_waivers(GOOD.replace(old, new), source="my.toml")
    assert reason in str(caught.value)
    assert "my.toml" in str(caught.value)


ALIKE = """
[[waiver]]
id = "a"
quirk = "Q4"
reason = "Worded differently."
owner = "backend lead"
expires_on = 2027-02-01
match = { operation = "GET /api/x/" }
expect.legacy = { status = 200, body = { page = { rows = "$ANY", title = "a" } } }
expect.target = { status = 200, body = { page = { rows = "$LIST", title = "b" } } }
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("status", "status", "says nothing of /page/rows on either side"),
        ('rows = "$ANY"', '"$REST" = "$ANY"', ""),
        ('rows = "$ANY"', "rows = [1]", ""),
        ("target = { status = 200", "target = { status = 404", ""),
        ('"GET /api/x/"', '"GET /api/x/", pointers = ["/page/rows"]', ""),
    ],
)
def test_a_waiver_that_says_nothing_of_a_member_is_refused_where_both_may_answer_alike(
    old: str, new: str, reason: str
) -> None:
    text = ALIKE.replace(old, new)
    if not reason:
        assert len(parse_waivers(text)) == 1
        return
    with pytest.raises(WaiverError, match=reason):
        parse_waivers(text)


@pytest.mark.parametrize(
    ("legacy", "target", "where"),
    [
        ('[1, "$REST"]', '[1, "$REST"]', r"/page/rows/\*"),
        ('[{ a = "$ANY" }]', '[{ a = "$ANY" }, 2]', "/page/rows/0/a"),
        ('{ "$REST" = "$TEXT" }', '{ "$REST" = "$TEXT" }', r"/page/rows/\*"),
    ],
)
def test_elements_of_which_neither_side_says_anything_are_found_too(legacy: str, target: str, where: str) -> None:
    text = ALIKE.replace('rows = "$ANY"', f"rows = {legacy}").replace('rows = "$LIST"', f"rows = {target}")
    with pytest.raises(WaiverError, match=f"says nothing of {where} on either side"):
        parse_waivers(text)


def test_a_header_of_which_neither_side_says_anything_is_refused() -> None:
    text = GOOD.replace('"$TEXT" } }', '"$TEXT" }, headers = { server = "$TEXT" } }')
    assert len(parse_waivers(text)) == 1
    both = text.replace('"$LIST" } }', '"$LIST" }, headers = { Server = "$ANY" } }')
    with pytest.raises(WaiverError, match="says nothing of the header server"):
        parse_waivers(both)


def test_same_id_twice_is_refused() -> None:
    with pytest.raises(WaiverError, match="twice"):
        parse_waivers(GOOD + GOOD)


def test_hits_count_exchanges_and_name_the_never_hit() -> None:
    comparison = Comparison(
        session_id="s", group="g", step=0, name="n", operation="o", outcome=Outcome.WAIVED, waivers=("b",)
    )
    assert count_hits(parse_waivers(GOOD), [comparison]) == {"a": 0, "b": 1}
