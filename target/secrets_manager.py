"""GetSecretValue of AWS Secrets Manager: botocore's signature, credentials and connections, without a client of it.

Every first request of an execution environment waits for this call, and a client costs it several times as much
processor time as the call itself (ADR 10). Source: the service's API reference, GetSecretValue and Common Errors.
"""

import json
import os
import random
import time
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials, EnvProvider
from botocore.exceptions import ConnectionError as ConnectionFailed
from botocore.exceptions import HTTPClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

_SERVICE = "secretsmanager"
_TRIES = 2
_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 2.0, 3.0
_LONGEST_WAIT_S = 1.0
_HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_SERVICE}.GetSecretValue"}
_INTERNAL_ERROR = "InternalServiceError"
_MAY_PASS = frozenset({_INTERNAL_ERROR, "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})


class SecretRefused(Exception):
    """The service answered, and not with the secret."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def get_secret_string(region: str, name: str) -> str | None:
    """Return the current text of a secret, None where it has bytes instead. Blocks, for ten seconds at most.

    AWS_ENDPOINT_URL and the function's role count as they do for botocore's clients. A broken connection, a throttled
    call and a fault of the service are tried once more, after a random wait.

    Raises:
        SecretRefused: the service's error, by its code.
        BotoCoreError: it cannot be reached, or there are no credentials.
    """
    credentials, address = _credentials(), _endpoint(region)
    # Its stubs know fewer types than it takes: a path of certificates, a timeout for connecting and one for reading.
    options: dict[str, Any] = {
        "verify": os.environ.get("AWS_CA_BUNDLE") or True,
        "timeout": (_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S),
    }
    session = URLLib3Session(proxies=get_environ_proxies(address), **options)
    for tries_left in reversed(range(_TRIES)):
        request = AWSRequest("POST", address, headers=_HEADERS, data=json.dumps({"SecretId": name}))
        SigV4Auth(credentials, _SERVICE, region).add_auth(request)
        try:
            return _read(session.send(request.prepare()))
        except (ConnectionFailed, HTTPClientError):
            if not tries_left:
                raise
        except SecretRefused as refused:
            if not tries_left or refused.code not in _MAY_PASS:
                raise
        time.sleep(random.uniform(0, _LONGEST_WAIT_S))  # noqa: S311 - spreads callers, guards nothing
    raise AssertionError("the last try returns or raises")


def _read(answer: AWSResponse) -> str | None:
    document = _parse(answer.content)
    if answer.status_code == 200:
        text = document.get("SecretString")
        return text if isinstance(text, str) else None
    if answer.status_code >= 500:
        raise SecretRefused(_INTERNAL_ERROR)
    raise SecretRefused(str(document.get("__type", "")).rpartition("#")[2])


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _credentials() -> Credentials:
    """Those of Lambda's variables; elsewhere wherever botocore finds some."""
    found = EnvProvider().load()
    if found is None:
        import botocore.session  # noqa: PLC0415 - Lambda always sets the variables and is spared this

        found = botocore.session.get_session().get_credentials()
    if found is None:
        raise NoCredentialsError
    return found


def _endpoint(region: str) -> str:
    named = os.environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or os.environ.get("AWS_ENDPOINT_URL")
    suffix = ".cn" if region.startswith("cn-") else ""
    return named or f"https://{_SERVICE}.{region}.amazonaws.com{suffix}"
