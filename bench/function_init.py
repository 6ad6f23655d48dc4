"""What INIT takes of the processor, by function: each handler imported from its built artifact and layers.

`python -m bench.function_init` prints all deployed functions, the medians of seven fresh processes each.
"""

import os
import subprocess
from dataclasses import dataclass, replace
from statistics import median

from bench.measure import Benchmark, Figure, Limit, figure
from harness.settings import project_root
from harness.staging.build import BuiltArtifacts, handler_paths, project_inputs
from harness.staging.definition import load_definition
from harness.wiring.packages import build_project

_ROUNDS = 7
_TIMEOUT_S = 120
_PROGRAM = (
    "import importlib, sys, time; [*map(importlib.import_module, sys.argv[1:])]; print(time.process_time() * 1000)"
)
_HEAVY = ("pyarrow", "aioboto3")
"""What trades leaves to those functions that need it."""
# Enough for every handler to be imported: nothing is called.
_VARIABLES = {"AWS_DEFAULT_REGION": "us-east-1", "USE_NEON": "true", "NEON_DATABASE_URL": "postgresql://localhost/none"}


def _run() -> Figure:
    trades = _imports()["trades"]
    alone, loaded = list[float](), list[float]()
    for _ in range(_ROUNDS):
        alone.append(trades.time_ms())
        loaded.append(replace(trades, layers=tuple(trades.artifacts.layers), also=_HEAVY).time_ms())
    return figure("init_trades", median(alone), median(loaded), unit="ms")


def init_times_ms() -> dict[str, float]:
    """Median CPU time in ms until the handler of each deployed function is imported, in turn."""
    imports = _imports()
    found: dict[str, list[float]] = {key: [] for key in imports}
    for _ in range(_ROUNDS):
        for key, times in found.items():
            times.append(imports[key].time_ms())
    return {key: median(times) for key, times in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """A function's handler, and what it is imported from."""

    artifacts: BuiltArtifacts
    key: str
    handler: str
    layers: tuple[str, ...]
    also: tuple[str, ...] = ()
    """Modules that are imported after it."""

    def time_ms(self) -> float:
        """CPU time of a fresh process until all is imported."""
        task = self.artifacts.functions[self.key].root
        search = [task, *(self.artifacts.layers[layer].root / "python" for layer in self.layers)]
        done = subprocess.run(
            [
                self.artifacts.interpreter.path,
                "-s",
                "-S",
                "-B",
                "-c",
                _PROGRAM,
                self.handler.rpartition(".")[0],
                *self.also,
            ],
            env={**_VARIABLES, "PATH": os.defpath, "PYTHONPATH": ":".join(map(str, search))},
            cwd=task,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
        )
        return float(done.stdout.splitlines()[-1])


def _imports() -> dict[str, _Import]:
    root = project_root()
    artifacts, handlers = build_project(root), handler_paths(project_inputs(root).package)
    functions = load_definition(root / "terraform").functions
    return {
        each.key: _Import(artifacts=artifacts, key=each.key, handler=handlers[each.key], layers=each.layers)
        for each in functions
    }


BENCHMARKS = (
    Benchmark(
        name="init_trades",
        about="CPU until the handler of trades is imported, over that with Arrow and the AWS client imported too",
        run=_run,
        limit=Limit(bound=0.75),
    ),
)

if __name__ == "__main__":
    for function, time_ms in init_times_ms().items():
        print(f"{function:<18}{time_ms:>8.0f} ms")
