"""Which messages of a batch failed, by what the function returned."""

import json

import pytest

from harness.staging.event_sources import failed_messages

_MESSAGES = [{"MessageId": "a"}, {"MessageId": "b"}]
_ALL = frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("returned", "failed"),
    [
        (b"", frozenset()),
        (b"null", frozenset()),
        (b"{}", frozenset()),
        (json.dumps({"batchItemFailures": []}).encode(), frozenset()),
        (json.dumps({"batchItemFailures": None}).encode(), frozenset()),
        (json.dumps({"batchItemFailures": [{"itemIdentifier": "b"}]}).encode(), frozenset({"b"})),
        (json.dumps({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}).encode(), _ALL),
        (b"{not json", _ALL),
        (json.dumps({"batchItemFailures": [{"itemIdentifier": ""}]}).encode(), _ALL),
        (json.dumps({"batchItemFailures": [{"itemIdentifier": None}]}).encode(), _ALL),
        (json.dumps({"batchItemFailures": [{"id": "a"}]}).encode(), _ALL),
        (json.dumps({"batchItemFailures": [{"itemIdentifier": "of another batch"}]}).encode(), _ALL),
        (json.dumps({"batchItemFailures": "a"}).encode(), _ALL),
    ],
)
def test_the_documented_answers_mean_what_they_say(returned: bytes, failed: frozenset[str]) -> None:
    assert failed_messages(returned, _MESSAGES) == failed
