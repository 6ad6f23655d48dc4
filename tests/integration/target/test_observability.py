"""What a function tells about itself, as a process of its own tells it: log lines, metrics and traces."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from target_support import ROOT

SECRET = 'pass"word-of-the-database'

LOGS = """
import logging
from types import SimpleNamespace
from target.observability import MetricUnit, configure_logging, correlated, hide_in_logs, record_metric
from target.settings import Settings
settings = Settings(_env_file=None, powertools_metrics_namespace="Shop")
logger = configure_logging(settings, "trades")
log = logging.getLogger("target.anywhere")
hide_in_logs('pass"word-of-the-database')
with correlated("req-1=\\r\\n*/ DROP"):
    log.info("inside")
    record_metric("Hits", MetricUnit.Count, 3, cache="prices")
log.info("outside")
log.error("%s", 'pass"word-of-the-database', extra={"address": "postgresql://u:short@h/d"})
log.error("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl and /prices?token=abcdef1234&x=1")
try:
    raise ValueError('no pass"word-of-the-database')
except ValueError:
    log.exception("failed")
"""

TRACED = """
import sys
from types import SimpleNamespace
from target.observability import traced
from target.settings import Settings
settings = Settings(_env_file=None, tracing=sys.argv[1] == "on")
def handle(event, context):
    if event["fails"]:
        raise ValueError("a secret text")
    return {"secret": "answer"}
handler = traced(settings, "trades", handle)
context = SimpleNamespace(aws_request_id="lambda-1")
print(handler({"fails": False, "requestContext": {"requestId": "req-1"}}, context), "aws_xray_sdk" in sys.modules)
try:
    handler({"fails": True}, context)
except ValueError:
    print("raised")
"""


def run(program: str, *arguments: str, **environment: str) -> list[str]:
    """Run a program as Lambda would; return its lines of standard output."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LAMBDA_TASK_ROOT": "/var/task", **environment},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout.splitlines()


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(LOGS, POWERTOOLS_SERVICE_NAME="trades")]


def test_lines_of_one_request_share_its_id_without_what_could_end_a_comment_or_a_line(told: list[dict[str, Any]]):
    by_message = {line.get("message"): line for line in told}
    assert by_message["inside"]["correlation_id"] == "req-1=DROP"
    assert by_message["inside"]["function"] == "trades"
    assert "correlation_id" not in by_message["outside"]


def test_a_metric_is_a_line_in_the_embedded_format(told: list[dict[str, Any]]):
    (metric,) = [line for line in told if "_aws" in line]
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], metric["Hits"]) == ("Shop", [3.0])
    assert directive["Metrics"] == [{"Name": "Hits", "Unit": "Count"}]
    assert {name: metric[name] for name in directive["Dimensions"][0]} == {"cache": "prices", "service": "trades"}


def test_no_line_holds_a_secret_wherever_it_came_from(told: list[dict[str, Any]]):
    text = json.dumps(told)
    assert len([line for line in told if "***" in json.dumps(line)]) == 3
    for secret in ("word-of-the-database", ":short@", "eyJhbGci", "abcdef1234"):
        assert secret not in text


def received(listener: socket.socket) -> list[dict[str, Any]]:
    """What a daemon got: a header line, then the segment's document."""
    listener.setblocking(False)
    found = []
    while True:
        try:
            found.append(json.loads(listener.recv(65536).partition(b"\n")[2]))
        except BlockingIOError:
            return found


@pytest.mark.parametrize(("mode", "sampled"), [("on", "1"), ("on", "0"), ("off", "1")])
def test_an_invocation_is_traced_only_where_tracing_is_on_and_the_trace_is_sampled(
    mode: str, sampled: str, tmp_path: Path
):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        lines = run(
            TRACED, mode,
            AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon.getsockname()[1]}",
            _X_AMZN_TRACE_ID=f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled={sampled}",
        )  # fmt: skip
        segments = received(daemon)
    assert lines == [f"{{'secret': 'answer'}} {mode == 'on'}", "raised"]
    if (mode, sampled) != ("on", "1"):
        assert segments == []
        return
    good, bad = segments
    assert (good["name"], good["trace_id"]) == ("## trades", "1-5759e988-bd862e3fe1be46a994272793")
    assert good["annotations"]["correlation_id"] == "req-1"
    assert bad["fault"] is True
    assert "secret" not in json.dumps(good)
