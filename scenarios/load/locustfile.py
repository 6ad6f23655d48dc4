"""Locust users of the trades API, made from `profile.toml`.

Runs by itself (`locust -f scenarios/load/locustfile.py --host http://127.0.0.1:8000`) and under
`parakeet load`. Imports nothing of the judge, since Locust patches the process it runs in.
"""

import itertools
import os
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant_pacing, events

_PROFILE = tomllib.loads(Path(__file__).with_name("profile.toml").read_text(encoding="utf-8"))
_run_id = f"{os.getpid():x}{time.time_ns():x}"
_counter = itertools.count(1)


def _task_of(operation: dict[str, Any]) -> Callable[["TradesUser"], None]:
    def send(user: "TradesUser") -> None:
        sequence = f"{_run_id}-{next(_counter)}"
        body = operation.get("body")
        user.client.request(
            operation["method"],
            operation["url"].replace("{{sequence}}", sequence),
            name=operation["name"],
            data=None if body is None else body.replace("{{sequence}}", sequence),
            headers={} if body is None else {"Content-Type": operation.get("content_type", "application/json")},
        )

    return send


class TradesUser(FastHttpUser):
    """One request every half second, by the weights of the profile."""

    wait_time = constant_pacing(0.5)
    tasks = [  # noqa: RUF012 - locust's interface, where an entry counts as often as it stands there
        each for operation in _PROFILE["operation"] for each in [_task_of(operation)] * operation.get("weight", 1)
    ]


def _fail_on_no_requests(environment: Any, **_: Any) -> None:
    """A run that sent nothing has shown nothing."""
    if environment.stats.total.num_requests == 0:
        environment.process_exit_code = 3


events.quitting.add_listener(_fail_on_no_requests)  # type: ignore[no-untyped-call]
