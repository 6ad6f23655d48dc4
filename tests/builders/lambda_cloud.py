"""A small product with functions of its own, built for real, so that the local cloud is tested without the target."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from harness.domain.cloud import CloudDefinition, FunctionDefinition, RouteDefinition
from harness.staging.build import BuildInputs, BuiltArtifacts, build_artifacts
from harness.staging.function_launch import FunctionLaunch
from harness.staging.pool import FunctionPool, PoolLimits

_ROOT = Path(__file__).resolve().parents[2]
_HANDLERS = {
    "probe": """
        import json, os, sys, threading, time

        served = 0
        beats = []

        def handler(event, context):
            global served
            served += 1
            do, _, argument = (event.get("do") or event["rawPath"].strip("/")).partition(":")
            return globals()["do_" + do](argument, event, context)

        def do_echo(argument, event, context):
            return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}

        def do_who(argument, event, context):
            return {"pid": os.getpid(), "served": served}

        def do_world(argument, event, context):
            return {
                "variables": dict(os.environ),
                "path": sys.path,
                "cwd": os.getcwd(),
                "request_id": context.aws_request_id,
                "remaining_ms": context.get_remaining_time_in_millis(),
                "arn": context.invoked_function_arn,
                "cached": __cached__,
                "origin": __spec__.origin,
            }

        def do_import(argument, event, context):
            try:
                __import__(argument)
            except ImportError as error:
                return {"error": str(error)}
            return {"error": None}

        def do_sleep(argument, event, context):
            time.sleep(float(argument))
            return {"pid": os.getpid()}

        def do_mark(argument, event, context):
            open(argument, "x").close()
            time.sleep(30)

        def beat():
            while True:
                beats.append(time.monotonic())
                time.sleep(0.01)

        def do_background(argument, event, context):
            threading.Thread(target=beat, daemon=True).start()

        def do_gap(argument, event, context):
            time.sleep(0.1)
            return max(after - before for before, after in zip(beats, beats[1:]))

        def do_crash(argument, event, context):
            print("about to crash")
            os._exit(int(argument))

        def do_raise(argument, event, context):
            raise ValueError(argument)

        def do_big(argument, event, context):
            return "x" * int(argument)

        def do_hog(argument, event, context):
            held = bytearray(int(argument) * 1024 * 1024)
            for start in range(0, len(held), 4096):
                held[start] = 1
            time.sleep(float(event.get("hold_s", 0)))
            return len(held)

        def do_answer(argument, event, context):
            return event["answer"]

        def do_set(argument, event, context):
            return object()
    """,
    "guard": """
        def handler(event, context):
            (given,) = event["identitySource"]
            return {"isAuthorized": given == "let me in", "context": {"given": given}}
    """,
    "worker": """
        def handler(event, context):
            for record in event["Records"]:
                print("worked on", record["body"], "time", record["attributes"]["ApproximateReceiveCount"])
            if any(record["body"] == "crash" for record in event["Records"]):
                raise ValueError("crash")
            failed = [record["messageId"] for record in event["Records"] if record["body"].startswith("fail")]
            return {"batchItemFailures": [{"itemIdentifier": found} for found in failed]}
    """,
    "broken": """
        import not_a_module_that_exists

        def handler(event, context):
            return None
    """,
    "slow": """
        import os, time
        time.sleep(float(os.environ["INIT_S"]))

        def handler(event, context):
            return os.getpid()
    """,
    "dying": """
        import os
        print("last words")
        os._exit(7)
    """,
}


def build_probe_functions(directory: Path) -> BuiltArtifacts:
    """Real artifacts of the handlers above, with Lambda's runtime and a layer of one small distribution."""
    package = directory / "product"
    for key, source in _HANDLERS.items():
        function = package / "functions" / key
        function.mkdir(parents=True)
        (function / "handler.py").write_text(dedent(source), encoding="utf-8")
    lock = directory / "lock.txt"
    lock.write_text(lock_of("awslambdaric", "simplejson", "snapshot-restore-py", "typing-extensions"), encoding="utf-8")
    return build_artifacts(BuildInputs(package=package, lock=lock, cache=directory / "cache"))


def function(key: str = "probe", **changes: object) -> FunctionDefinition:
    """A function of these handlers."""
    values: dict[str, object] = {
        "key": key,
        "name": f"product-{key}",
        "handler": f"product.functions.{key}.handler.handler",
        "runtime": "python3.11",
        "memory_mb": 256,
        "timeout_s": 10,
        "environment": {},
        "role": "role",
        "layers": ("dependencies",),
    }
    return FunctionDefinition(**(values | changes))  # type: ignore[arg-type]


def definition(
    *functions: FunctionDefinition,
    routes: Mapping[str, str] | None = None,
    routes_given: tuple[RouteDefinition, ...] = (),
    **changes: object,
) -> CloudDefinition:
    """A cloud of these functions; without any routes, all goes to the first of them."""
    found = functions or (function(),)
    routes = routes if routes is not None else {"$default": found[0].key}
    values: dict[str, object] = {
        "environment": "local",
        "region": "eu-central-1",
        "account_id": "123456789012",
        "functions": found,
        "routes": routes_given or tuple(RouteDefinition(route_key=key, function_key=to) for key, to in routes.items()),
        "buckets": (),
        "secrets": (),
    }
    return CloudDefinition(**(values | changes))  # type: ignore[arg-type]


def pool(
    artifacts: BuiltArtifacts,
    directory: Path,
    *,
    of: FunctionDefinition | None = None,
    limits: PoolLimits | None = None,
    variables: Mapping[str, str] | None = None,
    inits: asyncio.Semaphore | None = None,
) -> FunctionPool:
    """A pool of one function, without a gateway."""
    of = of or function()
    launch = FunctionLaunch(
        definition=of,
        region="eu-central-1",
        account_id="123456789012",
        task_root=artifacts.functions[of.key].root,
        layer_roots=tuple(artifacts.layers[layer].root for layer in of.layers),
        runtime_root=artifacts.runtime_directory,
        working_directory=directory,
        variables={**of.environment, **(variables or {})},
    )
    return FunctionPool(launch, limits=limits, inits=inits)


def lock_of(*names: str) -> str:
    """The lines of the functions' lock that pin these distributions."""
    entries = (_ROOT / "requirements" / "lambda.txt").read_text(encoding="utf-8").split("\n")
    wanted: list[str] = []
    is_wanted = False
    for line in entries:
        if not line.startswith(" "):
            is_wanted = line.split("==")[0] in names
        if is_wanted:
            wanted.append(line)
    return "\n".join(wanted) + "\n"
