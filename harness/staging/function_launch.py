"""What a function's execution environments are started with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.cloud import FunctionDefinition

_PASSED_ON = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLaunch:
    """A function with its unpacked artifacts; its own environment variables stay out of its repr."""

    definition: FunctionDefinition
    region: str
    account_id: str
    task_root: Path
    layer_roots: tuple[Path, ...]
    runtime_root: Path
    working_directory: Path
    """Where logs and the environments' temporary files go."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    python: str = sys.executable

    @property
    def function_arn(self) -> str:
        """The function's ARN, unqualified."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.definition.name}"

    @property
    def argv(self) -> list[str]:
        """The runtime's command: no site-packages, and, as on Lambda's read-only file system, no bytecode written."""
        return [self.python, "-s", "-S", "-B", "-m", "awslambdaric", self.definition.handler]


def process_variables(launch: FunctionLaunch, *, runtime_api: str, temporary: Path, log_stream: str) -> dict[str, str]:
    """The whole environment of one process: Lambda's own variables win over the function's; nothing of ours leaks.

    Source: AWS Lambda developer guide, "Defined runtime environment variables".
    """
    definition = launch.definition
    search_path = [launch.task_root, *(root / "python" for root in launch.layer_roots), launch.runtime_root]
    reserved = {
        "_HANDLER": definition.handler,
        "AWS_DEFAULT_REGION": launch.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{definition.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": definition.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{definition.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_REGION": launch.region,
        "LAMBDA_RUNTIME_DIR": str(launch.runtime_root),
        "LAMBDA_TASK_ROOT": str(launch.task_root),
    }
    # Lambda lets a function change these; the credentials are those that the emulated services accept.
    defaults = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "LANG": "en_US.UTF-8",
        "PATH": _PASSED_ON,
        "PYTHONPATH": ":".join(map(str, search_path)),
        "TMPDIR": str(temporary),
        "TZ": ":UTC",
    }
    return defaults | dict(launch.variables) | reserved
