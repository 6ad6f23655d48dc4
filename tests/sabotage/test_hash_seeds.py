"""Clean runs in processes of their own, each under another hash seed: the order of sets and hashes must not show."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
from datetime import UTC, datetime, timedelta
from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Outcome
from tests.sabotage.world import build_record
import sys
seed = int(sys.argv[1])
# Every other one crosses midnight and a month's end somewhere in the session.
start = datetime(2026, 2, 28, 23, 59, 40, tzinfo=UTC) if seed % 2 else datetime(2026, 2, 3, 9, 30, tzinfo=UTC)
record = build_record(start + timedelta(seconds=seed), seed)
outcomes = [found.outcome for found in judge_session(record, Rules(today=start.date()))]
alarms = [n for n, outcome in enumerate(outcomes) if outcome in (Outcome.DIFFERENT, Outcome.NOT_COMPARABLE)]
print(len(outcomes), alarms)
sys.exit(1 if alarms or not outcomes else 0)
"""


@pytest.mark.parametrize("seed", range(20))
def test_a_clean_run_raises_no_alarm_under_another_hash_seed(seed: int) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": str(seed * 7919 + 1), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(seed)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
