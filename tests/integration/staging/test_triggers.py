"""What real functions write reaches CloudWatch Logs, and real queues and clocks invoke them, under their own roles."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.domain.cloud import (
    CloudDefinition,
    EventSourceDefinition,
    QueueDefinition,
    RoleDefinition,
    ScheduleDefinition,
)
from harness.staging.aws import LocalAws
from harness.staging.build import BuiltArtifacts
from harness.staging.iam.authoriser import Authoriser
from harness.staging.schedule import Scheduler
from harness.staging.stack import LocalCloud
from harness.wiring.functions import local_cloud, start_authoriser
from tests.builders.clocks import SteppedClock
from tests.builders.lambda_cloud import definition, function

_LOGS = {
    "Sid": "WriteOwnLogs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": ["arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/product-*:*"],
}
_QUEUE = {
    "Sid": "ReceiveFromOwnQueue",
    "Effect": "Allow",
    "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    "Resource": ["arn:aws:sqs:eu-central-1:123456789012:work"],
}


def _defined(*keys: str, statements: tuple[dict[str, Any], ...] = (_LOGS, _QUEUE), **parts: Any) -> CloudDefinition:
    role = RoleDefinition(name="role", policies=(json.dumps({"Statement": statements}),))
    return definition(*(function(key) for key in keys), roles=(role,), **parts)


@asynccontextmanager
async def _running(
    of: CloudDefinition, artifacts: BuiltArtifacts, directory: Path
) -> AsyncIterator[tuple[LocalCloud, LocalAws, Authoriser]]:
    aws = LocalAws(directory / "moto.log")
    await aws.start()
    await aws.provision(of)
    authoriser = await start_authoriser(of, aws)
    cloud = local_cloud(of, artifacts, authoriser, directory / "functions")
    try:
        await cloud.start()
        yield cloud, aws, authoriser
    finally:
        await cloud.stop()
        await authoriser.stop()
        await aws.stop()


async def _until(holds: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """What `holds` returns once it is true; asks again until then."""
    async with asyncio.timeout(timeout_s):
        while not (found := await asyncio.to_thread(holds)):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.05)
        return found


def _messages(aws: LocalAws, name: str) -> list[tuple[str, list[str]]]:
    logs = aws.client("logs")
    streams = logs.describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    return [
        (
            stream["logStreamName"],
            [
                event["message"]
                for event in logs.get_log_events(
                    logGroupName=f"/aws/lambda/{name}", logStreamName=stream["logStreamName"], startFromHead=True
                )["events"]
            ],
        )
        for stream in streams
    ]


async def test_report_lines_and_the_functions_own_reach_the_log_group(
    artifacts: BuiltArtifacts, tmp_path: Path
) -> None:
    of = _defined("probe", statements=(_LOGS,))
    async with _running(of, artifacts, tmp_path) as (cloud, aws, authoriser):
        async with aiohttp.ClientSession() as session:
            await session.get(cloud.gateway_url + "/echo")
            await session.get(cloud.gateway_url + "/crash:3")
        await cloud.stop()

        shipped = _messages(aws, "product-probe")
        assert authoriser.unused_statements("role") == ()
    ((stream, lines),) = shipped
    (file,) = (tmp_path / "functions" / "probe" / "logs").glob("*.log")
    assert stream.startswith("20")
    assert "/[$LATEST]" in stream
    assert lines == [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]
    assert sum(line.startswith("REPORT RequestId: ") for line in lines) == 2
    assert "about to crash" in lines


async def test_lines_are_shipped_while_the_function_runs_each_once(artifacts: BuiltArtifacts, tmp_path: Path) -> None:
    async with _running(_defined("probe", statements=(_LOGS,)), artifacts, tmp_path) as (cloud, aws, _):
        for number in (1, 2):
            await cloud.invoke("probe", {"do": "who"})
            await _until(lambda wanted=number: _reports(aws) == wanted)  # type: ignore[misc]
        await cloud.stop()
        assert _reports(aws) == 2


async def test_without_the_permission_nothing_is_shipped_and_requests_are_answered(
    artifacts: BuiltArtifacts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with _running(_defined("probe", statements=(_QUEUE,)), artifacts, tmp_path) as (cloud, aws, _):
        async with aiohttp.ClientSession() as session, session.get(cloud.gateway_url + "/echo") as response:
            assert response.status == 200
        await cloud.stop()
        assert _messages(aws, "product-probe") == []
    assert "was not shipped" in caplog.text


def _reports(aws: LocalAws) -> int:
    return sum(line.startswith("REPORT") for _, lines in _messages(aws, "product-probe") for line in lines)


async def test_a_queue_invokes_and_what_fails_too_often_is_put_aside(artifacts: BuiltArtifacts, tmp_path: Path) -> None:
    of = _defined(
        "worker",
        queues=(
            QueueDefinition(name="work", visibility_timeout_s=1, dead_letter="work-dead-letter", max_receive_count=2),
            QueueDefinition(name="work-dead-letter"),
        ),
        event_sources=(EventSourceDefinition(queue="work", function_key="worker", reports_item_failures=True),),
    )
    async with _running(of, artifacts, tmp_path) as (cloud, aws, authoriser):
        sqs = aws.client("sqs")
        entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(("good", "fail", "good too"))]
        sqs.send_message_batch(QueueUrl=f"{aws.endpoint}/123456789012/work", Entries=entries)

        dead = await _until(lambda: _received(sqs, f"{aws.endpoint}/123456789012/work-dead-letter"))
        await _until(lambda: _left(sqs, f"{aws.endpoint}/123456789012/work") == 0)
        await cloud.stop()
        worked = [line for _, lines in _messages(aws, "product-worker") for line in lines if "worked on" in line]

    assert [message["Body"] for message in dead] == ["fail"]
    assert sorted(worked) == ["worked on fail time 1", "worked on fail time 2", "worked on good time 1",
                              "worked on good too time 1"]  # fmt: skip
    actions = {call.action for call in authoriser.calls if call.action.startswith("sqs:")}
    assert actions == {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    assert all(call.ruling.is_allowed for call in authoriser.calls)


async def test_a_function_that_raises_keeps_its_whole_batch(artifacts: BuiltArtifacts, tmp_path: Path) -> None:
    of = _defined(
        "worker",
        queues=(
            QueueDefinition(name="work", visibility_timeout_s=1, dead_letter="dead", max_receive_count=1),
            QueueDefinition(name="dead"),
        ),
        event_sources=(EventSourceDefinition(queue="work", function_key="worker", reports_item_failures=True),),
    )
    async with _running(of, artifacts, tmp_path) as (_, aws, _authoriser):
        sqs = aws.client("sqs")
        entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(("good", "crash"))]
        sqs.send_message_batch(QueueUrl=f"{aws.endpoint}/123456789012/work", Entries=entries)
        dead: list[str] = []

        def both() -> bool:
            dead.extend(message["Body"] for message in _received(sqs, f"{aws.endpoint}/123456789012/dead"))
            return len(dead) == 2

        await _until(both)
    assert sorted(dead) == ["crash", "good"]


async def test_a_cloud_without_its_sources_leaves_their_messages_to_another(
    artifacts: BuiltArtifacts, tmp_path: Path
) -> None:
    sources = (EventSourceDefinition(queue="work", function_key="worker", reports_item_failures=True),)
    of = _defined("worker", queues=(QueueDefinition(name="work", visibility_timeout_s=30),), event_sources=sources)
    async with _running(of, artifacts, tmp_path) as (cloud, aws, authoriser):
        sqs, url = aws.client("sqs"), f"{aws.endpoint}/123456789012/work"
        other = local_cloud(of, artifacts, authoriser, tmp_path / "other")
        async with cloud.without_sources():
            await other.start()
            for body in ("a", "b", "c"):
                sqs.send_message(QueueUrl=url, MessageBody=body)
                await _until(lambda: _left(sqs, url) == 0)
            assert (cloud.pool("worker").environments_started, other.pool("worker").environments_started) == (0, 1)
            await other.stop()
        sqs.send_message(QueueUrl=url, MessageBody="d")
        await _until(lambda: _left(sqs, url) == 0)
        assert cloud.pool("worker").environments_started == 1


async def test_a_schedule_invokes_with_its_input(artifacts: BuiltArtifacts, tmp_path: Path) -> None:
    of = _defined("probe")
    once = ScheduleDefinition(
        name="soon", expression="rate(1 minute)", function_key="probe", input=json.dumps({"do": "answer", "answer": 1})
    )
    async with _running(of, artifacts, tmp_path) as (cloud, _, _authoriser):
        clock = SteppedClock()
        scheduler = Scheduler((once,), cloud, clock=clock)
        await scheduler.start()
        await clock.advance(minutes=1)
        await _until(lambda: cloud.pool("probe").reports)
        await scheduler.stop()
        assert len(cloud.pool("probe").reports) == 1


def _received(sqs: Any, url: str) -> list[Any]:
    return list(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))


def _left(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)
