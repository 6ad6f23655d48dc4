"""Runs every benchmark, prints a table, writes `artifacts/bench.json`: `python -m bench [NAME]…`."""

import importlib
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

import bench
from bench.measure import Benchmark, Figure

_OUTPUT = Path("artifacts") / "bench.json"
_NOT_BENCHMARKS = frozenset({"__main__", "measure"})


def main(names: list[str]) -> int:
    """0 if every benchmark keeps its limit, 1 if one does not, 2 for an unknown name."""
    benchmarks = _load_benchmarks()
    unknown = set(names) - {benchmark.name for benchmark in benchmarks}
    if unknown:
        known = ", ".join(benchmark.name for benchmark in benchmarks)
        print(f"Unknown benchmark {', '.join(sorted(unknown))}. Known: {known}", file=sys.stderr)
        return 2
    figures = []
    is_kept = True
    print(f"{'benchmark':<28}{'value':>12}{'reference':>14}{'ratio':>10}{'limit':>10}")
    for benchmark in benchmarks:
        if not names or benchmark.name in names:
            figure = benchmark.run()
            figures.append(figure)
            is_kept &= _print(benchmark, figure)
    _save(figures)
    return 0 if is_kept else 1


def _load_benchmarks() -> list[Benchmark]:
    modules = sorted(module.name for module in pkgutil.iter_modules(bench.__path__))
    loaded = (importlib.import_module(f"bench.{name}") for name in modules if name not in _NOT_BENCHMARKS)
    return [benchmark for module in loaded for benchmark in module.BENCHMARKS]


def _print(benchmark: Benchmark, figure: Figure) -> bool:
    is_kept = figure.ratio >= benchmark.limit if benchmark.is_floor else figure.ratio <= benchmark.limit
    sign = "≥" if benchmark.is_floor else "≤"
    line = f"{figure.name:<28}{figure.value:>9.1f} {figure.unit}{figure.reference:>11.1f} {figure.unit}"
    print(f"{line}{figure.ratio:>10.4f}{sign:>5} {benchmark.limit:g}{'' if is_kept else '  NOT KEPT'}", flush=True)
    return is_kept


def _save(figures: list[Figure]) -> None:
    _OUTPUT.parent.mkdir(exist_ok=True)
    partial = _OUTPUT.with_suffix(".json.partial")
    partial.write_bytes(orjson.dumps([asdict(figure) for figure in figures], option=orjson.OPT_INDENT_2))
    partial.replace(_OUTPUT)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
