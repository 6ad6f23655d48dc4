"""A capture replayed in one go, and killed and resumed, comes to the same: the large one's test, made small."""

import pytest

from bench import large_capture


def test_a_replay_that_is_killed_and_resumed_ends_as_an_unbroken_one(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--entries", "300", "--kills", "3", "--late", "1", "--seed", "20260204"]
    assert large_capture.main(small) == 0, capsys.readouterr()
    assert "the same, byte for byte but for times" in capsys.readouterr().out
