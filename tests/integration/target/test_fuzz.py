"""The whole API, fuzzed by its own document on PostgreSQL: no 5xx and no answer outside the document.

A bounded share; `parakeet fuzz` and criterion P4.errors send more.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import uvicorn
from target_support import settings_for

from harness.domain.fuzz import one_of_each
from harness.wiring.fuzz import fuzz_target, load_exclusions
from target.app import create_app
from target.jobs.queue import JobQueue

KEY = "the-signing-key-of-these-tests-0123456789"
EXAMPLES = 1


class QuietServer(uvicorn.Server):
    """Runs in a thread, so it leaves signals alone."""

    def install_signal_handlers(self) -> None:
        """Nothing."""


class UnreadQueue:
    """Stands in for SQS: jobs are accepted, and nobody runs them here."""

    async def send(self, job_id: str) -> None:
        assert job_id


@pytest.fixture
def served(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    app = create_app(settings_for(postgres_url, jwt_secret=KEY, local_cache_directory=str(tmp_path)))
    app.state.jobs = JobQueue(app.state.database, UnreadQueue())
    server = QuietServer(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off"))

    async def serve() -> None:
        await server.serve()
        await app.state.database.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.mark.timeout(120)
def test_no_answer_is_5xx_or_outside_the_document(served: str):
    token = jwt.encode({"sub": "u", "exp": time.time() + 600}, KEY)
    findings = asyncio.run(fuzz_target(served, load_exclusions(), examples=EXAMPLES, token=token))
    seen = findings.observations
    assert findings.server_errors == 0
    assert [(found.operation, found.check, found.reproduction) for found, _ in one_of_each(findings.unexplained)] == []
    assert seen.problems == ()
    assert (seen.operations, seen.cases > 1000) == (46, True)
