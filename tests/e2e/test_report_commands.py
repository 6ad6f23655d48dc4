"""`report`, `gate` and `phases` from the command line: output, exit codes, messages."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import run
from harness.domain.errors import ExitCode
from tests.builders.run_directory import clean_content, defective_content, write_run


def test_report_prints_the_files_that_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = write_run(tmp_path / "run", clean_content())
    assert run(["report", "--run", str(directory), "--format", "html,md"]) == ExitCode.GO
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in printed] == ["report.html", "report.md"]
    assert all(path.stat().st_size > 0 for path in printed)


def test_the_exit_code_of_gate_is_the_decision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = {
        "GO": (clean_content(), ExitCode.GO),
        "NO-GO": (defective_content(), ExitCode.NO_GO),
        "INCONCLUSIVE": (replace(clean_content(), evidence=()), ExitCode.INCONCLUSIVE),
    }
    for word, (content, code) in runs.items():
        directory = write_run(tmp_path / word, content)
        assert run(["gate", "--run", str(directory)]) == code
        assert capsys.readouterr().out == f"{word}\n"


def test_gate_judges_one_phase(tmp_path: Path) -> None:
    directory = write_run(tmp_path, defective_content())
    assert run(["gate", "--run", str(directory), "--phase", "3"]) == ExitCode.NO_GO
    assert run(["gate", "--run", str(directory), "--phase", "1"]) == ExitCode.INCONCLUSIVE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gate", "--run", "RUN", "--phase", "9"], "there is no phase 9"),
        (["gate", "--run", "absent"], "cannot read it"),
        (["report", "--run", "absent"], "cannot read it"),
        (["report", "--run", "RUN", "--format", "pdf"], "no report format pdf"),
        (["phases", "--phase", "12"], "there is no phase 12"),
        (["gate"], "--run"),
    ],
)
def test_wrong_use_is_a_message_and_exit_code_2(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    directory = write_run(tmp_path / "run", clean_content())
    assert run([str(directory) if argument == "RUN" else argument for argument in arguments]) == ExitCode.USAGE
    captured = capfd.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_phases_lists_every_criterion_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["phases"]) == ExitCode.GO
    printed = capsys.readouterr().out
    for criterion_id in ("P1.1", "P3.1.strategies", "P4.validation.parity", "P4.latency.p99", "PR.7"):
        assert criterion_id in printed
