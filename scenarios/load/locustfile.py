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
# The judge reads this name from Locust's JSON (harness/adapters/locust.py).
_THROTTLED = "throttled"
_GATEWAYS_OWN = b'{"message":"Service Unavailable"}'
_GATEWAY_TIMEOUT_MS = 29_000


def _task_of(operation: dict[str, Any]) -> Callable[["TradesUser"], None]:
    def send(user: "TradesUser") -> None:
        sequence = f"{_run_id}-{next(_counter)}"
        body = operation.get("body")
        with user.client.request(
            operation["method"],
            operation["url"].replace("{{sequence}}", sequence),
            name=operation["name"],
            data=None if body is None else body.replace("{{sequence}}", sequence),
            headers={} if body is None else {"Content-Type": operation.get("content_type", "application/json")},
            catch_response=True,
        ) as response:
            if _is_throttle(response):
                response.request_meta["name"] = _THROTTLED
                response.success()

    return send


def _is_throttle(response: Any) -> bool:
    """Whether the gateway refused at once, no function having been asked: the application's own 503 has another body,
    and the gateway's after waiting in vain has the same one, half a minute later.
    """
    if response.status_code != 503 or response.content != _GATEWAYS_OWN:
        return False
    return bool(response.request_meta["response_time"] < _GATEWAY_TIMEOUT_MS)


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
