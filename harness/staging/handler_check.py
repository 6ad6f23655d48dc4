"""Whether a function's handler can be imported from its artifacts at all, before anything is started with it."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from harness.domain.errors import ConfigurationError
from harness.staging.artifact_cache import BuiltArtifact
from harness.staging.build import BuiltArtifacts

_TIMEOUT_S = 120
# Prints nothing where all is well; else the place nearest to the failure that is the artifact's own.
_PROGRAM = """
import importlib, json, os, sys, traceback
path, root = sys.argv[1:]
module, _, name = path.rpartition(".")
try:
    getattr(importlib.import_module(module), name)
except BaseException as error:
    own = [f for f in traceback.extract_tb(error.__traceback__) if os.path.exists(os.path.join(root, f.filename))]
    place = (own[-1].filename, own[-1].lineno) if own else (module.replace(".", "/") + ".py", 1)
    if isinstance(error, SyntaxError):
        place = (error.filename or place[0], error.lineno or 1)
    place = (os.path.relpath(place[0], root) if os.path.isabs(place[0]) else place[0], place[1])
    print(json.dumps({"what": f"{type(error).__name__}: {error}", "file": place[0], "line": place[1]}), flush=True)
    os._exit(3)
os._exit(0)
"""


class _Failure(msgspec.Struct, frozen=True):
    what: str
    file: str
    line: int


def require_importable(
    artifacts: BuiltArtifacts, handlers: Mapping[str, str], environment: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Imports each handler (by function key) as Lambda would; one that was found sound once is not tried again.

    `environment` holds variables by function key.

    Raises:
        ConfigurationError: one cannot be imported; names file, line and reason.
    """

    def check(key: str) -> None:
        artifact, handler = artifacts.functions[key], handlers[key]
        sound = artifact.root.parent / f"importable-{_digest(artifacts, handler)}"
        if not sound.exists():
            _import(artifacts, artifact, handler, (environment or {}).get(key, {}))
            sound.touch()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as importers:
        list(importers.map(check, handlers))


def _import(artifacts: BuiltArtifacts, artifact: BuiltArtifact, handler: str, variables: Mapping[str, str]) -> None:
    try:
        ended = _run(artifacts, artifact, handler, variables)
    except subprocess.TimeoutExpired as error:
        hint = "See what it does when it is imported, and whether this machine is overloaded; then build again."
        what = f"the handler of {artifact.name} is not imported after {error.timeout:g} s"
        raise ConfigurationError(what, where=handler, hint=hint) from error
    if ended.returncode == 0:
        return
    failure = _read(ended.stdout) or _Failure(what=ended.stderr.strip()[-300:], file=handler, line=1)
    hint = "Correct that line; a missing package goes into requirements/lambda.in, then `make lock`."
    what = f"the handler of {artifact.name} cannot be imported: {failure.what}"
    raise ConfigurationError(what, where=f"{failure.file}:{failure.line}", hint=hint)


def _run(
    artifacts: BuiltArtifacts, artifact: BuiltArtifact, handler: str, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    search = [artifact.root, *(layer.root / "python" for layer in artifacts.layers.values()), artifacts.runtime.root]
    return subprocess.run(
        [artifacts.interpreter.path, "-s", "-S", "-B", "-c", _PROGRAM, handler, str(artifact.root)],
        env={
            "AWS_DEFAULT_REGION": "us-east-1",
            "PATH": os.defpath,
            **variables,
            "PYTHONPATH": ":".join(map(str, search)),
        },
        cwd=artifact.root,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def _read(output: str) -> _Failure | None:
    lines = output.strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=_Failure) if lines else None
    except msgspec.DecodeError:
        return None


def _digest(artifacts: BuiltArtifacts, handler: str) -> str:
    layers = [layer.sha256 for layer in artifacts.layers.values()]
    text = repr((handler, layers))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
