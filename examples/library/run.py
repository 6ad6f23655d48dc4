"""Starts the monolith, its port and a PostgreSQL server for it, and stays until Ctrl-C or SIGTERM.

    python library/run.py pair.env

Writes the addresses as shell variables once both answer; everything ends with it. The monolith keeps its rows in
library.db of the working directory; the port's are gone afterwards.
"""

import asyncio
import os
import shlex
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from harness.adapters.evidence_store import write_atomically
from harness.adapters.http import HttpSide
from harness.child import Child, free_port
from harness.domain.errors import HarnessError, SystemUnavailable
from harness.domain.exchange import Side
from harness.staging.postgres import LocalPostgres
from harness.wiring.runtime import runtime_directory

HERE = Path(__file__).resolve().parent
LEGACY_DB = Path("library.db").resolve()
START_TIMEOUT_S = 60.0


async def serve(addresses: Path) -> None:
    """Starts all three and waits for a signal; the file of addresses is there only while both answer."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with AsyncExitStack() as stack:
        runtime = stack.enter_context(runtime_directory())
        postgres = LocalPostgres(runtime / "postgres")
        stack.push_async_callback(postgres.stop)
        await postgres.start()
        legacy_url = await start("monolith", {"LIBRARY_DB": str(LEGACY_DB)}, runtime, stack)
        target_url = await start("port", {"DATABASE_URL": postgres.dsn}, runtime, stack)
        found = {"LEGACY_URL": legacy_url, "TARGET_URL": target_url}
        found |= {"LEGACY_DB": str(LEGACY_DB), "TARGET_DSN": postgres.dsn}
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in found.items())
        write_atomically(addresses, "".join(lines).encode(), mode=0o600)
        stack.callback(addresses.unlink, missing_ok=True)
        print(f"monolith {legacy_url}, port {target_url}; addresses are in {addresses}", file=sys.stderr)
        await told.wait()


async def start(name: str, variables: dict[str, str], runtime: Path, stack: AsyncExitStack) -> str:
    """Starts one of the two programs and returns its address once it answers."""
    port = free_port()
    command = [sys.executable, str(HERE / f"{name}.py"), str(port)]
    child = Child.start(command, name=name, log_path=runtime / f"{name}.log", env={**os.environ, **variables})
    stack.push_async_callback(child.stop)
    side = HttpSide(Side.LEGACY, f"http://127.0.0.1:{port}")
    stack.push_async_callback(side.close)
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while True:
        try:
            await side.require_reachable()
            return side.base_url
        except SystemUnavailable as error:
            if child.exit_status is not None or asyncio.get_running_loop().time() > deadline:
                raise SystemUnavailable(f"{name} does not answer", where=str(HERE), hint=child.tail()) from error
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "pair.env")
    place.unlink(missing_ok=True)  # who waits for the file must not read earlier addresses
    try:
        asyncio.run(serve(place))
    except HarnessError as failure:
        sys.exit(str(failure))
