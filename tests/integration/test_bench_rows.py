"""The benchmarks of rows at a small size: they run, and they fail where they should."""

import shutil

import pytest

import bench.__main__ as bench_main
from bench.measure import Benchmark, Figure, Limit, figure
from bench.migrate import against_pgloader
from bench.rows_memory import BENCHMARKS, measure_peaks


def test_the_peak_of_a_comparison_is_measured_in_a_child() -> None:
    found = measure_peaks(500, 1_000)
    assert 10 < found.value < 400
    assert BENCHMARKS[0].limit.is_kept(found)


@pytest.mark.parametrize(("value", "reference", "is_kept"), [(390, 380, True), (410, 400, False), (390, 200, False)])
def test_memory_has_to_be_flat_and_small(value: float, reference: float, is_kept: bool) -> None:
    limit = BENCHMARKS[0].limit
    assert limit.is_kept(figure("rows_parity_memory", value, reference, unit="MB")) is is_kept
    assert str(limit) == "ratio ≤ 1.25, value ≤ 400"


def test_what_is_not_installed_is_said_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved: list[Figure] = []
    one = figure("other", 1, 1, unit="s")
    chosen = [
        Benchmark(name="migrate_1m_vs_pgloader", about="", run=against_pgloader, limit=Limit(bound=1)),
        Benchmark(name="other", about="", run=lambda: one, limit=Limit(bound=1)),
    ]
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(bench_main, "_load_benchmarks", lambda: chosen)
    monkeypatch.setattr(bench_main, "_save", saved.extend)
    assert bench_main.main([]) == 0
    assert "migrate_1m_vs_pgloader    pgloader is not installed" in capsys.readouterr().out
    assert saved == [one]

    saved.clear()
    assert bench_main.main(["--only", "migrate_1m_vs_pgloader"]) == 3
    assert saved == []
    assert "Nothing was measured" in capsys.readouterr().err


def test_pgloader_carries_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.migrate._PGLOADER_ROUNDS", 1)
    if shutil.which("pgloader") is None:
        pytest.skip("pgloader is not installed")
    assert against_pgloader(500).value > 0
