"""What S3 itself says of the buckets that were applied (criterion P1.6)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from harness.domain.cloud import BucketDefinition, CloudDefinition
from harness.domain.criterion import Check

ClientFactory = Callable[[str], Any]

_TIERS = [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER_IR"}]


def check_buckets(client: ClientFactory, definition: CloudDefinition) -> list[Check]:
    """Encryption, tiers, CORS, versioning, public access and TLS of each bucket of the definition."""
    s3 = client("s3")
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    expected = {bucket.name for bucket in definition.buckets}
    names = Check(
        name="buckets are those of the definition",
        passed=existing == expected,
        detail=", ".join(sorted(existing)) or "there is none",
    )
    present = [bucket for bucket in definition.buckets if bucket.name in existing]
    return [names, *(check for bucket in present for check in _check_bucket(s3, bucket))]


def _check_bucket(s3: Any, bucket: BucketDefinition) -> list[Check]:
    questions: Mapping[str, tuple[Callable[[], object], object]] = {
        "is encrypted with AES256": (lambda: _encryption(s3, bucket.name), "AES256"),
        "moves objects to STANDARD_IA after 30 and GLACIER_IR after 90 days": (
            lambda: _tiers(s3, bucket.name),
            _TIERS,
        ),
        "lets exactly the pages' origins read": (lambda: _origins(s3, bucket.name), sorted(bucket.cors_origins)),
        "is versioned only where the definition says so": (lambda: _is_versioned(s3, bucket.name), bucket.is_versioned),
        "blocks public access four times over": (lambda: _blocks(s3, bucket.name), [True] * 4),
        "refuses plain HTTP": (lambda: _refuses_plain_http(s3, bucket.name), True),
    }
    return [_check(f"{bucket.key} {name}", ask, expected) for name, (ask, expected) in questions.items()]


def _check(name: str, ask: Callable[[], object], expected: object) -> Check:
    found = ask()
    return Check(name=name, passed=found == expected, detail=f"{found!r}" if found == expected else f"read {found!r}")


def _answer(call: Callable[..., Mapping[str, Any]], bucket: str) -> Mapping[str, Any]:
    """The answer, or an empty one where S3 says that nothing of the kind is configured."""
    try:
        return call(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith("NoSuch") or "NotFound" in error.response["Error"]["Code"]:
            return {}
        raise


def _encryption(s3: Any, bucket: str) -> object:
    rules = _answer(s3.get_bucket_encryption, bucket).get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    return rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] if rules else None


def _tiers(s3: Any, bucket: str) -> object:
    rules = _answer(s3.get_bucket_lifecycle_configuration, bucket).get("Rules", [])
    enabled = [rule for rule in rules if rule["Status"] == "Enabled" and not (rule.get("Filter") or {}).get("Prefix")]
    return [transition for rule in enabled for transition in rule.get("Transitions", [])]


def _origins(s3: Any, bucket: str) -> object:
    rules = _answer(s3.get_bucket_cors, bucket).get("CORSRules", [])
    return sorted(origin for rule in rules for origin in rule["AllowedOrigins"])


def _is_versioned(s3: Any, bucket: str) -> object:
    return _answer(s3.get_bucket_versioning, bucket).get("Status") == "Enabled"


def _blocks(s3: Any, bucket: str) -> object:
    blocked = _answer(s3.get_public_access_block, bucket).get("PublicAccessBlockConfiguration", {})
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return [blocked.get(name, False) for name in names]


def _refuses_plain_http(s3: Any, bucket: str) -> object:
    policy = json.loads(_answer(s3.get_bucket_policy, bucket).get("Policy", "{}"))
    whole = {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == "s3:*"
        and set(statement["Resource"]) == whole
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy.get("Statement", [])
    )
