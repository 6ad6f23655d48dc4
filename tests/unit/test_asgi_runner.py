"""The application under adequacy meets this machine alone."""

import subprocess
import sys
from pathlib import Path

from harness.adapters import asgi_host

_RUNNER = Path(asgi_host.__file__).with_name("asgi_runner.py")
# In a process of its own, since it changes how names are looked up.
_PROGRAM = """
import runpy, socket, sys
runpy.run_path(sys.argv[1])["_refuse_other_hosts"]()
for host in ("api.example", b"api.example", "192.0.2.1"):
    try:
        socket.getaddrinfo(host, 443)
    except socket.gaierror as error:
        print(error.strerror)
print(len({found[4][0] for host in ("127.0.0.1", "localhost") for found in socket.getaddrinfo(host, 80)}) > 0)
"""


def test_names_of_other_hosts_are_refused_and_this_one_is_found() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(_RUNNER)], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.split("\n") == ["there is no network"] * 3 + ["True", ""]
