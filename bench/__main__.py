"""Runs the benchmarks, prints a table, writes `artifacts/bench.json`: `python -m bench [--only NAME]…`."""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

import bench
from bench.measure import Benchmark, Figure, NotMeasurable
from harness.collection import collect_rarely

_OUTPUT = Path("artifacts") / "bench.json"
_HEAD = f"{'benchmark':<26}{'value':>14}{'reference':>14}{'ratio':>10}  {'limit':<28}kept"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every benchmark keeps its limit, 1 if one does not, 3 if none was measured; an unknown name is status 2."""
    # As every command of ours does at its start.
    collect_rarely()
    benchmarks = _load_benchmarks()
    chosen = _choose(benchmarks, arguments)
    figures = []
    is_kept = True
    print(_HEAD)
    for benchmark in chosen:
        try:
            figure = benchmark.run()
        except NotMeasurable as reason:
            print(f"{benchmark.name:<26}{reason}", flush=True)
            continue
        figures.append(figure)
        is_kept &= benchmark.limit.is_kept(figure)
        print(_line(benchmark, figure), flush=True)
    if not figures:
        print("Nothing was measured: install what is named above, or choose others.", file=sys.stderr)
        return 3
    _save(figures)
    return 0 if is_kept else 1


def _load_benchmarks() -> list[Benchmark]:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__")
    modules = [importlib.import_module(f"bench.{name}") for name in names]
    return [benchmark for module in modules for benchmark in getattr(module, "BENCHMARKS", ())]


def _choose(benchmarks: Sequence[Benchmark], arguments: Sequence[str] | None) -> list[Benchmark]:
    listed = "\n".join(f"  {benchmark.name:<26}{benchmark.about}; {benchmark.limit}" for benchmark in benchmarks)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure value and reference in turn, print both, and write artifacts/bench.json.",
        epilog=f"benchmarks:\n{listed}\n\nExit codes: 0 every limit of what was measured is kept, 1 one is not, "
        "2 usage, 3 nothing was measured.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [benchmark.name for benchmark in benchmarks]
    parser.add_argument("--only", action="append", metavar="NAME", choices=names, help="run this one; repeatable")
    wanted = parser.parse_args(arguments).only
    return [benchmark for benchmark in benchmarks if not wanted or benchmark.name in wanted]


def _line(benchmark: Benchmark, figure: Figure) -> str:
    value, reference = (f"{number:.1f} {figure.unit}" for number in (figure.value, figure.reference))
    kept = "yes" if benchmark.limit.is_kept(figure) else "NO"
    return f"{figure.name:<26}{value:>14}{reference:>14}{figure.ratio:>10.4f}  {benchmark.limit!s:<28}{kept}"


def _save(figures: Sequence[Figure]) -> None:
    _OUTPUT.parent.mkdir(exist_ok=True)
    partial = _OUTPUT.with_suffix(".json.partial")
    partial.write_bytes(orjson.dumps([asdict(figure) for figure in figures], option=orjson.OPT_INDENT_2))
    partial.replace(_OUTPUT)


if __name__ == "__main__":
    sys.exit(main())
