"""The one call of Secrets Manager: signed, addressed as botocore's clients do it, tried again where that may help."""

import json
import time
from collections.abc import Iterator

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError
from botocore.httpsession import URLLib3Session

from target.secrets_manager import SecretRefused, get_secret_string

REGION = "eu-west-1"
Answer = tuple[int, object] | Exception


class Service:
    """Stands in for what botocore's connections lead to."""

    def __init__(self) -> None:
        self.asked: list[AWSPreparedRequest] = []
        self.answers: Iterator[Answer] = iter([(200, {"SecretString": "{}"})])
        self.waits: list[float] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        self.asked.append(request)
        match next(self.answers):
            case (int(status), document):
                answer = AWSResponse(request.url, status, {}, None)
                answer._content = document if isinstance(document, bytes) else json.dumps(document).encode()
                return answer
            case error:
                assert isinstance(error, Exception)
                raise error


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the role")
    service = Service()
    monkeypatch.setattr(URLLib3Session, "send", lambda _session, request: service.send(request))
    monkeypatch.setattr(time, "sleep", service.waits.append)
    return service


def test_the_call_is_signed_with_the_role_and_names_the_secret(service: Service):
    service.answers = iter([(200, {"SecretString": '{"a": "b"}'})])
    assert get_secret_string(REGION, "app/dev") == '{"a": "b"}'
    (request,) = service.asked
    assert request.url == "https://secretsmanager.eu-west-1.amazonaws.com"
    assert json.loads(request.body) == {"SecretId": "app/dev"}
    assert request.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
    assert request.headers["X-Amz-Security-Token"] == "of the role"
    authorization = request.headers["Authorization"]
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert f"/{REGION}/secretsmanager/aws4_request" in authorization
    assert "hunter2" not in str(request.headers)


@pytest.mark.parametrize(
    ("variables", "region", "address"),
    [
        ({}, "cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://local"}, REGION, "http://local"),
        ({"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://own"}, REGION, "http://own"),
    ],
)
def test_the_address_is_the_regions_unless_a_variable_names_one(
    service: Service, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str, address: str
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    get_secret_string(region, "app/dev")
    assert service.asked[0].url.rstrip("/") == address


@pytest.mark.parametrize(
    "first",
    [
        ConnectTimeoutError(endpoint_url="http://x"),
        (503, b"<html>"),
        (400, {"__type": "ThrottlingException"}),
    ],
)
def test_what_may_pass_is_tried_once_more_after_a_wait(service: Service, first: Answer):
    service.answers = iter([first, (200, {"SecretString": "{}"})])
    assert get_secret_string(REGION, "app/dev") == "{}"
    assert len(service.asked) == 2
    assert len(service.waits) == 1
    assert 0 <= service.waits[0] <= 1


def test_a_second_failure_is_the_answer(service: Service):
    service.answers = iter([(500, {}), EndpointConnectionError(endpoint_url="http://x"), (200, {})])
    with pytest.raises(EndpointConnectionError):
        get_secret_string(REGION, "app/dev")
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"__type": "com.amazonaws.secretsmanager#ResourceNotFoundException"}, "ResourceNotFoundException"),
        ({"__type": "AccessDeniedException"}, "AccessDeniedException"),
        (b"no json", ""),
        ([], ""),
    ],
)
def test_a_refusal_is_told_by_its_code_and_not_tried_again(service: Service, document: object, code: str):
    service.answers = iter([(400, document)])
    with pytest.raises(SecretRefused) as refused:
        get_secret_string(REGION, "app/dev")
    assert refused.value.code == code
    assert service.waits == []


@pytest.mark.parametrize("document", [{"SecretBinary": "eA=="}, b"no json", []])
def test_an_answer_without_a_text_is_none(service: Service, document: object):
    service.answers = iter([(200, document)])
    assert get_secret_string(REGION, "app/dev") is None


def test_without_credentials_anywhere_botocore_says_so(service: Service, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _session: None)
    with pytest.raises(NoCredentialsError):
        get_secret_string(REGION, "app/dev")
    assert service.asked == []
