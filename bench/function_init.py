"""What INIT takes of the processor, by function: each handler imported from its built artifact and layers.

`python -m bench.function_init` prints all deployed functions, the medians of seven fresh processes each.
"""

import os
import subprocess
from pathlib import Path
from statistics import median

from bench.measure import Benchmark, Figure, Limit, figure
from harness.settings import project_root
from harness.staging.build import BuiltArtifacts, handler_paths, project_inputs
from harness.staging.definition import load_definition
from harness.wiring.packages import build_project

_ROUNDS = 7
_TIMEOUT_S = 120
_PROGRAM = "import importlib, sys, time; importlib.import_module(sys.argv[1]); print(time.process_time() * 1000)"
# Enough for every handler to be imported: nothing is called.
_VARIABLES = {"AWS_DEFAULT_REGION": "us-east-1", "USE_NEON": "true", "NEON_DATABASE_URL": "postgresql://localhost/none"}


def _run() -> Figure:
    times = init_times_ms(("trades", "quant2"))
    return figure("init_trades", times["trades"], times["quant2"], unit="ms")


def init_times_ms(keys: tuple[str, ...] = ()) -> dict[str, float]:
    """Median CPU time in ms until the handler is imported, of these or all deployed functions, in turn."""
    root = project_root()
    artifacts, handlers = build_project(root), handler_paths(project_inputs(root).package)
    layers = {function.key: function.layers for function in load_definition(root / "terraform").functions}
    found: dict[str, list[float]] = {key: [] for key in keys or layers}
    for _ in range(_ROUNDS):
        for key, times in found.items():
            times.append(_import_once(artifacts, key, handlers[key], layers[key]))
    return {key: median(times) for key, times in found.items()}


def _import_once(artifacts: BuiltArtifacts, key: str, handler: str, layers: tuple[str, ...]) -> float:
    task: Path = artifacts.functions[key].root
    search = [task, *(artifacts.layers[layer].root / "python" for layer in layers)]
    done = subprocess.run(
        [artifacts.interpreter.path, "-s", "-S", "-B", "-c", _PROGRAM, handler.rpartition(".")[0]],
        env={**_VARIABLES, "PATH": os.defpath, "PYTHONPATH": ":".join(map(str, search))},
        cwd=task,
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    )
    return float(done.stdout.splitlines()[-1])


BENCHMARKS = (
    Benchmark(
        name="init_trades",
        about="CPU until the handler of trades is imported, over that of quant2, which computes with tables of prices",
        run=_run,
        limit=Limit(bound=1),
    ),
)

if __name__ == "__main__":
    for function, time_ms in init_times_ms().items():
        print(f"{function:<18}{time_ms:>8.0f} ms")
