"""A tiny HTTP application to stand in for a legacy system: `python tiny_system.py PORT [DATABASE]`.

It tells its process id, how often it was asked, and its environment; it writes nothing.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ASKED = {"count": 0}


class Handler(BaseHTTPRequestHandler):
    """Answers every GET."""

    def do_GET(self) -> None:
        """`/health` is healthy; everything else tells what the tests look at."""
        ASKED["count"] += self.path == "/count"
        body = json.dumps(
            {
                "pid": os.getpid(),
                "count": ASKED["count"],
                "arguments": sys.argv[1:],
                "secret": os.environ.get("JWT_SECRET"),
                "directory": str(Path.cwd()),
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
