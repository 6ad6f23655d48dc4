"""Shows what a function is given, and answers in each way that a gateway has to understand.

Deployed by itself: it imports nothing but the standard library, and reads no secret. The query says what to do.
"""

import os
import sys
from typing import Any

_TEXT = "é" * 10


def handler(event: dict[str, Any], context: Any) -> Any:
    """Answer as `?do=` says; without it, show everything."""
    wanted = (event.get("queryStringParameters") or {}).get("do", "show")
    if wanted == "raise":
        raise ValueError("raised on purpose")
    return _ANSWERS[wanted] if wanted in _ANSWERS else _show(event, context)


def _show(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {
        "event": event,
        "context": {
            "memory": str(context.memory_limit_in_mb),
            "version": context.function_version,
            "has_deadline": context.get_remaining_time_in_millis() > 0,
            "identity": context.identity is not None and context.identity.cognito_identity_id is not None,
        },
        "environment": {
            "names": sorted(name for name in os.environ if name.startswith(("AWS_LAMBDA_", "LAMBDA_", "_HANDLER"))),
            "TZ": os.environ.get("TZ"),
            "LANG": os.environ.get("LANG"),
        },
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


_ANSWERS: dict[str, Any] = {
    "null": None,
    "text": "plain text",
    "number": 7,
    "list": [1, "two"],
    "object": {"no": "status code"},
    "status-only": {"statusCode": 204},
    "status-text": {"statusCode": "201", "body": "created"},
    "status-wrong": {"statusCode": "many"},
    "body-object": {"statusCode": 200, "body": {"not": "text"}},
    "base64": {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True, "headers": {"content-type": "x/y"}},
    "cookies": {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "body": ""},
    "multi-value": {"statusCode": 200, "multiValueHeaders": {"x-many": ["1", "2"]}, "body": ""},
    "header-case": {"statusCode": 200, "headers": {"X-Mixed-Case": "1"}, "body": ""},
    "header-number": {"statusCode": 200, "headers": {"x-number": 7}, "body": ""},
    "utf-8": {"statusCode": 200, "body": _TEXT},
    "over-6-mb": {"statusCode": 200, "body": "x" * (6 * 1024 * 1024 + 200)},
}
