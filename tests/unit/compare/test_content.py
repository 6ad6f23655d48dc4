"""Bodies that cannot be read to their end are never taken for equal ones."""

import gzip
import zlib
from datetime import date

import pytest
from msgspec import structs

from harness.domain.compare import content
from harness.domain.compare.content import DEFAULT_DECODERS, decode
from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Outcome
from harness.domain.exchange import Headers, Response
from tests.builders.records import JSON, answer, session, step

RULES = Rules(today=date(2026, 2, 4))


def _coded(body: bytes, coding: str) -> Response:
    headers: Headers = (*JSON, ("content-encoding", coding))
    return answer(body, headers=headers)


def _judge(legacy: Response, target: Response) -> Comparison:
    return judge_session(session(step(legacy, target)), RULES)[0]


def test_what_decodes_to_more_than_is_read_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_MAX_DECODED_BYTES", 1000)
    for coding, pack in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        assert decode(_coded(pack(b"1" * 1000), coding), DEFAULT_DECODERS).problem == ""
        mine, theirs = (_coded(pack(b"1" * 1000 + rest), coding) for rest in (b"2", b"3"))
        assert _judge(mine, theirs).outcome is Outcome.DIFFERENT


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bytes_behind_a_compressed_body_are_a_difference(coding: str) -> None:
    packed = gzip.compress(b"[1]", mtime=0) if coding == "gzip" else zlib.compress(b"[1]")
    assert _judge(_coded(packed, coding), _coded(packed + b"tail", coding)).outcome is Outcome.DIFFERENT


def test_two_bodies_that_are_cut_off_alike_are_not_identical() -> None:
    cut = structs.replace(answer([1, 2]), is_truncated=True)
    comparison = _judge(cut, cut)
    assert comparison.outcome is Outcome.EQUIVALENT and "cut off" in comparison.note
    assert _judge(cut, answer([1, 2])).outcome is Outcome.DIFFERENT
    assert _judge(cut, structs.replace(answer([1, 3]), is_truncated=True)).outcome is Outcome.DIFFERENT
