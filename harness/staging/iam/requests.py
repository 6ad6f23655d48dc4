"""Which actions on which resources an AWS request asks for, read from the request as the services read it.

Source: AWS, "Service Authorization Reference": actions, resource types and condition keys of each service.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from harness.staging.iam.conditions import Context

UNRECOGNISED = "unrecognised"

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsRequest:
    """An HTTP request to AWS; header names in lower case, `query` raw."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def signer(self) -> tuple[str, str, str] | None:
        """Access key id, region and service that it is signed for, or None if it is not signed."""
        match = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return (match["key"], match["region"], match["service"]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """One action on one resource; the secret's random suffix is still to be looked up where `secret` is set."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    secret: str | None = None


def asked_for(request: AwsRequest, *, region: str, service: str, account_id: str) -> tuple[AskedFor, ...]:
    """Everything that the request needs permission for; what is not recognised is said to be so, not guessed."""
    reader = _READERS.get(service)
    found = reader(request, f"{region}:{account_id}") if reader else ()
    return found or (AskedFor(action=f"{service}:{UNRECOGNISED}", resource="*"),)


def _s3(request: AwsRequest, _place: str) -> tuple[AskedFor, ...]:
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    query = parse_qs(request.query, keep_blank_values=True)
    if not bucket:
        return ()
    if not key:
        return _s3_bucket(request.method, bucket, query)
    action = _S3_OBJECT.get((request.method, _sub_resource(query)))
    if action is None:
        return ()
    asked = [AskedFor(action=action, resource=f"arn:aws:s3:::{bucket}/{key}")]
    source = request.headers.get("x-amz-copy-source")
    if source:
        path = unquote(source).lstrip("/").partition("?")[0]
        asked.append(AskedFor(action="s3:GetObject", resource=f"arn:aws:s3:::{path}"))
    return tuple(asked)


def _s3_bucket(method: str, bucket: str, query: Mapping[str, list[str]]) -> tuple[AskedFor, ...]:
    resource = f"arn:aws:s3:::{bucket}"
    if method == "GET" and "location" in query:
        return (AskedFor(action="s3:GetBucketLocation", resource=resource),)
    is_listing = set(query) <= _LISTING_PARAMETERS
    if method not in ("GET", "HEAD") or not is_listing:
        return ()
    context: Context = {
        f"s3:{name}": tuple(query[name]) if name in query else None for name in ("prefix", "delimiter", "max-keys")
    }
    return (AskedFor(action="s3:ListBucket", resource=resource, context=context),)


def _sub_resource(query: Mapping[str, list[str]]) -> str:
    return next((name for name in ("uploads", "uploadId", "versionId", "tagging", "acl") if name in query), "")


def _secrets_manager(request: AwsRequest, place: str) -> tuple[AskedFor, ...]:
    operation, body = _json_call(request)
    name = body.get("SecretId")
    if not operation or not isinstance(name, str):
        return ()
    resource = name if name.startswith("arn:") else f"arn:aws:secretsmanager:{place}:secret:{name}"
    secret = None if name.startswith("arn:") else name
    stages = body.get("VersionStage")
    context: Context = {"secretsmanager:versionstage": (str(stages),) if stages else None}
    return (AskedFor(action=f"secretsmanager:{operation}", resource=resource, context=context, secret=secret),)


def _logs(request: AwsRequest, place: str) -> tuple[AskedFor, ...]:
    operation, body = _json_call(request)
    group, stream = body.get("logGroupName"), body.get("logStreamName", "")
    if not operation or not isinstance(group, str):
        return ()
    suffix = f":log-stream:{stream}" if operation in ("CreateLogStream", "PutLogEvents", "GetLogEvents") else ""
    return (AskedFor(action=f"logs:{operation}", resource=f"arn:aws:logs:{place}:log-group:{group}{suffix}"),)


def _sqs(request: AwsRequest, place: str) -> tuple[AskedFor, ...]:
    operation, body = _json_call(request)
    url = body.get("QueueUrl") or body.get("QueueName")
    if not operation or not isinstance(url, str):
        return ()
    # A batch is judged as the single action: AWS has no action of its own for it.
    action = operation.removesuffix("Batch")
    return (AskedFor(action=f"sqs:{action}", resource=f"arn:aws:sqs:{place}:{url.rsplit('/', 1)[-1]}"),)


def _json_call(request: AwsRequest) -> tuple[str, Mapping[str, Any]]:
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return "", {}
    return (operation, body) if isinstance(body, dict) else ("", {})


_LISTING_PARAMETERS = frozenset(
    {"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type", "marker"}
)
_S3_OBJECT: Mapping[tuple[str, str], str] = {
    ("GET", ""): "s3:GetObject",
    ("HEAD", ""): "s3:GetObject",
    ("GET", "versionId"): "s3:GetObjectVersion",
    ("HEAD", "versionId"): "s3:GetObjectVersion",
    ("PUT", ""): "s3:PutObject",
    ("POST", "uploads"): "s3:PutObject",
    ("PUT", "uploadId"): "s3:PutObject",
    ("POST", "uploadId"): "s3:PutObject",
    ("DELETE", "uploadId"): "s3:AbortMultipartUpload",
    ("DELETE", ""): "s3:DeleteObject",
    ("DELETE", "versionId"): "s3:DeleteObjectVersion",
}
_READERS: Mapping[str, Callable[[AwsRequest, str], tuple[AskedFor, ...]]] = {
    "s3": _s3,
    "secretsmanager": _secrets_manager,
    "logs": _logs,
    "sqs": _sqs,
}
