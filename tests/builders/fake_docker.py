"""A docker client for tests: `run` serves the tiny system on the published port, `rm` notes that it was asked."""

import os
import sys
from pathlib import Path

TINY = Path(__file__).with_name("tiny_system.py")


def main(arguments: list[str]) -> None:
    """Takes the arguments of the real client that we use."""
    log = Path(os.environ["FAKE_DOCKER_LOG"])
    with log.open("a", encoding="utf-8") as file:
        file.write(" ".join(arguments) + "\n")
    if arguments[0] != "run":
        return
    if "missing-image" in arguments:
        sys.exit("Unable to find image 'missing-image' locally")
    address, port, _inside = arguments[arguments.index("-p") + 1].split(":")
    if address != "127.0.0.1":
        sys.exit("published beyond loopback")
    os.execv(sys.executable, [sys.executable, str(TINY), port])


if __name__ == "__main__":
    main(sys.argv[1:])
