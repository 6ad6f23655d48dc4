"""A docker client for tests that runs the reference application where its image would: `run`, and nothing else.

The mounted data directory is the container's `/app/data`, so its parent stands for `/app`.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> None:
    """Takes the arguments of the real client that we use."""
    if arguments[0] != "run":
        return
    address, port, inside = arguments[arguments.index("-p") + 1].split(":")
    data, _, mounted = arguments[arguments.index("-v") + 1].partition(":")
    if (address, inside, mounted) != ("127.0.0.1", "8000", "/app/data"):
        sys.exit(f"not how the image is run: {arguments}")
    python = ROOT / ".venv-legacy" / "bin" / "python"
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(Path(data).parent)
    command = [str(python), "-m", "legacy_adapter.app", "--host", "127.0.0.1", "--port", port]
    os.execv(python, command)


if __name__ == "__main__":
    main(sys.argv[1:])
