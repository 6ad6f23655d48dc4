"""Serves an ASGI application over HTTP: `python -P asgi_server.py PORT MODULE:FACTORY [MODULE:SETTINGS]`.

A program apart, never imported by the judge: it knows the application only by the names that it is told. The factory
is called with what the settings function returns, or with nothing where none is named.
"""

import importlib
import sys
from typing import Any

import uvicorn


def main() -> None:
    """Serves on loopback until it is told to stop."""
    port, factory, *settings = sys.argv[1:]
    app = _attribute(factory)(*(_attribute(name)() for name in settings))
    # No proxy stands before it: what a client says of one is not believed, as a gateway does not.
    uvicorn.run(app, host="127.0.0.1", port=int(port), http="h11", log_level="warning", proxy_headers=False)


def _attribute(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


if __name__ == "__main__":
    main()
