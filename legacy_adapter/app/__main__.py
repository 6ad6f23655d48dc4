"""Serves the application: `python -m legacy_adapter.app --host 127.0.0.1 --port 8000`."""

import argparse

import uvicorn


def main() -> None:
    """Serves until it is told to stop; the working directory is the application's root."""
    parser = argparse.ArgumentParser(prog="legacy_adapter.app", description="The reference monolith.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    uvicorn.run(
        "legacy_adapter.app.main:create_app", factory=True, host=arguments.host, port=arguments.port, http="h11"
    )


if __name__ == "__main__":
    main()
