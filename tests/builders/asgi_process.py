"""An ASGI application run as a process; prints its port once it listens, and serves until killed.

python -m tests.builders.asgi_process MODULE:FACTORY [name=text ...]
"""

import importlib
import socket
import sys
from pathlib import Path

import uvicorn


def main() -> None:
    """Calls the factory with the texts by name and serves what it returns."""
    name, *arguments = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parent))
    module, _, factory = name.partition(":")
    app = getattr(importlib.import_module(module), factory)(**dict(each.split("=", 1) for each in arguments))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", http="h11"))
    print(listening.getsockname()[1], flush=True)
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
