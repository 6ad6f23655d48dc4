"""The view of a run directory, and what it refuses to read."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.criterion import Decision, Verdict
from harness.domain.difference import Outcome
from harness.domain.errors import EvidenceError
from reports.view import ReportView, load_view
from scenarios.criteria import load_plan
from tests.builders.run_directory import RunContent, clean_content, defective_content, write_run


def view_of(directory: Path, content: RunContent) -> ReportView:
    return load_view(write_run(directory, content), load_plan())


def test_a_clean_run_is_go_with_nothing_blocking(tmp_path: Path) -> None:
    view = view_of(tmp_path, clean_content())
    assert view.decision is Decision.GO
    assert view.blockers.shown == view.unsettled.shown == ()
    assert "no unexplained difference in 290 compared exchanges" in view.why


def test_blockers_lead_to_the_findings_of_their_group(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    anchors = {headline.criterion.id: headline.anchor for headline in view.blockers.shown}
    assert view.word == "NO-GO"
    assert anchors["P3.2"] == "criterion-P3-2"
    assert anchors["P4.trades.parity"] == "signature-1"


def test_signatures_are_worst_first_with_their_smallest_example(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    assert view.signatures is not None
    assert view.signatures[0].example.facet == "status"
    assert {found.outcome for found in view.signatures} == {"different"}
    repeated = next(found for found in view.signatures if found.count == 2)
    assert (repeated.example.legacy, repeated.example.target) == ("2.0", "2")


def test_row_differences_and_explained_ones_are_apart(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    assert [found.example.pointer for found in view.row_signatures or ()] == ["/trades/31/notes"]
    assert {found.outcome.value for found in view.cascaded or ()} == {"cascaded"}
    assert {found.outcome.value for found in view.explained or ()} == {"waived", "noisy"}


def test_parity_bars_count_every_exchange_once(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    assert view.parity is not None
    for bar in view.parity:
        assert sum(segment.count for segment in bar.segments) == bar.total
        assert sum(segment.width for segment in bar.segments) == pytest.approx(100)
    trades = {segment.outcome: segment.count for segment in view.parity[0].segments}
    assert trades[Outcome.DIFFERENT] == 7


def test_waivers_show_days_left_from_the_day_of_the_run(tmp_path: Path) -> None:
    view = view_of(tmp_path, clean_content())
    assert [(w.id, w.days_left, w.hits) for w in view.waivers or ()] == [("W-Q11-order", 19, 0), ("W-Q4-nul", 327, 4)]


def test_what_the_profile_leaves_out_is_named(tmp_path: Path) -> None:
    view = view_of(tmp_path, clean_content())
    assert {phase.phase for phase in view.left_out.phases} == {2, 5, 6, 7, 8}
    named = {result.id for result in view.left_out.criteria}
    assert "P1.5" in named
    assert "P1.1" not in named


def test_unmeasured_benchmarks_say_so(tmp_path: Path) -> None:
    rows = {row.metric: row for row in view_of(tmp_path, clean_content()).benchmarks}
    assert rows["Cold Start"].after.text == "1.18 s"
    assert rows["API Latency (p50)"].before.is_measured
    assert rows["Monthly Cost"].before.text == "~$50 (stated, not measured)"
    assert rows["Daily Ingest Time"].after.text == "not measured"
    assert rows["Daily Ingest Time"].verdict is Verdict.INCONCLUSIVE


def test_a_figure_that_never_came_is_no_answer(tmp_path: Path) -> None:
    content = clean_content()
    endless = tuple(replace(m, value=float("inf"), upper=None) for m in content.measurements)
    rows = {row.metric: row for row in view_of(tmp_path, replace(content, measurements=endless)).benchmarks}
    assert rows["API Latency (p99)"].after.text == "no answer"


def test_the_same_run_gives_the_same_view(tmp_path: Path) -> None:
    directory = write_run(tmp_path, defective_content())
    assert load_view(directory, load_plan()) == load_view(directory, load_plan())


@pytest.mark.parametrize("name", ["comparisons.jsonl", "differences.jsonl", "measurements.jsonl", "waivers.jsonl"])
def test_a_run_without_an_optional_file_is_read(tmp_path: Path, name: str) -> None:
    directory = write_run(tmp_path, clean_content())
    (directory / name).unlink()
    load_view(directory, load_plan())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("manifest.json", None, "cannot read it"),
        ("decision.json", None, "cannot read it"),
        ("decision.json", b"{", "it is corrupt"),
        ("decision.json", b'{"format_version": 99}', "format version 99 is not 1"),
        ("manifest.json", b'{"format_version": 1}', "it is corrupt"),
        ("differences.jsonl", b"{}\n", "differences.jsonl, line 1"),
        ("measurements.jsonl", b"\xff\n", "measurements.jsonl, line 1"),
    ],
)
def test_a_run_that_cannot_be_read_is_refused_with_the_file(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    directory = write_run(tmp_path, clean_content())
    (directory / name).unlink() if content is None else (directory / name).write_bytes(content)
    with pytest.raises(EvidenceError, match=words) as caught:
        load_view(directory, load_plan())
    assert name in caught.value.where
    assert caught.value.hint


def test_what_was_required_is_what_the_run_recorded(tmp_path: Path) -> None:
    content = clean_content()
    manifest = replace(content.manifest, required_criteria=("P1.1",))
    view = view_of(tmp_path, replace(content, manifest=manifest))
    assert view.why.startswith("The one required criterion passes")
    assert view.left_out.count == view.left_out.total - 1


def test_a_selection_by_prefix_is_understood(tmp_path: Path) -> None:
    content = clean_content()
    manifest = replace(content.manifest, selected_criteria=("P4.trades",))
    view = view_of(tmp_path, replace(content, manifest=manifest))
    assert view.left_out.total - view.left_out.count == 2
