"""Events in all their forms, and those that are none."""

import json
from datetime import date

import pytest

from target.ingest.errors import IngestEventInvalid
from target.ingest.requests import IngestRequest, is_batch, parse_batch, parse_event


@pytest.mark.parametrize(
    "event",
    [
        {"universe_key": "ASX200"},
        {"version": "0", "detail-type": "Scheduled Event", "time": "…", "detail": {"universe_key": "ASX200"}},
    ],
)
def test_a_universe_is_named_plainly_or_by_eventbridge(event: object):
    assert parse_event(event) == IngestRequest(universe_key="ASX200")


@pytest.mark.parametrize("event", [None, {}, {"detail-type": "Scheduled Event", "detail": {}}])
def test_nothing_named_is_the_configured_universe(event: object):
    assert parse_event(event) == IngestRequest()


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ([], "event"),
        ("SPX500", "event"),
        ({"universe": "SPX500"}, "universe: Extra inputs"),
        ({"universe_key": 7}, "universe_key"),
        ({"universe_key": ""}, "universe_key"),
        ({"universe_key": "X" * 21}, "universe_key"),
        ({"tickers": []}, "tickers"),
        ({"tickers": ["A" * 21]}, "tickers.0"),
        ({"start": "2026-01-05"}, "start and end belong together"),
        ({"start": "2026-01-05", "end": "2026-01-01"}, "start lies after end"),
        ({"start": "yesterday", "end": "2026-01-01"}, "start"),
    ],
)
def test_a_bad_event_is_refused_and_told_what_is_wrong_and_expected(event: object, named: str):
    with pytest.raises(IngestEventInvalid, match="universe_key") as raised:
        parse_event(event)
    assert named in str(raised.value)
    assert isinstance(raised.value, ValueError)


def test_each_message_of_a_batch_is_read_by_itself():
    good = IngestRequest(universe_key="SPX500", tickers=("SPY",), start=date(2026, 1, 5), end=date(2026, 1, 9))
    bodies = [good.model_dump_json(), "no json", "[1]", json.dumps({"universe_key": 7})]
    event = {"Records": [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]}
    assert is_batch(event)
    messages = parse_batch(event)
    assert [message.message_id for message in messages] == ["0", "1", "2", "3"]
    assert messages[0].request == good
    assert all(message.request is None and message.error for message in messages[1:])


@pytest.mark.parametrize("event", [{"Records": 1}, {"Records": [{}]}, {"Records": ["x"]}])
def test_a_batch_without_message_ids_is_refused(event: object):
    with pytest.raises(IngestEventInvalid, match="messageId"):
        parse_batch(event)
