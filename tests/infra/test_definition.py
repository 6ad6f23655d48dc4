"""The definition of the local cloud says what the Terraform files say, and wrong files say where they are wrong."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.domain.errors import ConfigurationError
from harness.staging.definition import load_definition
from target.settings import Settings

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform")))


@pytest.fixture
def edit(copy: Path) -> Callable[[str, str, str], None]:
    def edit(file: str, old: str, new: str) -> None:
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is no longer in {file}"
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def test_trades_answers_its_prefix() -> None:
    definition = load_definition(TERRAFORM)
    trades = definition.function("trades")
    assert trades.name == "potential-parakeet-local-trades"
    assert trades.handler == "target.functions.trades.handler.handler"
    assert trades.layers == ("dependencies",)
    assert trades.reserved_concurrency == 20
    routes = {route.route_key: route.function_key for route in definition.routes}
    assert routes["ANY /api/trades"] == routes["ANY /api/trades/{proxy+}"] == "trades"
    assert "$default" in routes


def test_buckets_secrets_and_throttle_are_named() -> None:
    definition = load_definition(TERRAFORM)
    assert {bucket.key: bucket.name for bucket in definition.buckets} == {
        "cache": "potential-parakeet-cache-local",
        "artifacts": "potential-parakeet-lambda-artifacts-local",
    }
    assert {secret.key: secret.name for secret in definition.secrets} == {
        "database": "potential-parakeet/local",
        "api-keys": "potential-parakeet/local/api-keys",
    }
    assert (definition.throttle_rate_rps, definition.throttle_burst) == (500.0, 1000)
    assert (definition.region, definition.account_id) == ("us-east-1", "123456789012")


def test_functions_read_the_names_that_the_same_files_create() -> None:
    definition = load_definition(TERRAFORM)
    environment = definition.function("trades").environment
    assert environment["AWS_SECRETS_MANAGER_NAME"] == definition.secret("database").name
    assert environment["S3_BUCKET_NAME"] == definition.bucket("cache").name
    assert "AWS_REGION" not in environment, "Lambda sets it and refuses it as a variable"


def test_every_variable_that_the_functions_get_is_read_by_the_target() -> None:
    read = {name.upper() for name in Settings.model_fields} | {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}
    for function in load_definition(TERRAFORM).functions:
        assert set(function.environment) <= read, f"{function.key} is told what nobody reads"


def test_every_function_has_a_role_with_policies() -> None:
    definition = load_definition(TERRAFORM)
    roles = {role.name: role.policies for role in definition.roles}
    for function in definition.functions:
        assert all(policy.startswith('{"Statement"') for policy in roles[function.role])
        assert roles[function.role]


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_every_environment_is_complete_and_versions_objects_in_prod_only(environment: str) -> None:
    definition = load_definition(TERRAFORM, environment=environment)
    assert all(bucket.name.endswith(f"-{environment}") for bucket in definition.buckets)
    assert {bucket.is_versioned for bucket in definition.buckets} == {environment == "prod"}


def test_an_edit_of_the_files_reaches_the_definition(copy: Path, edit: Callable[[str, str, str], None]) -> None:
    edit("lambda.tf", "memory_mb            = 1024", "memory_mb            = 512")
    edit("environments/local.tfvars", "http://localhost:5173", "http://localhost:9")
    function = load_definition(copy).function("trades")
    assert function.memory_mb == 512
    assert "http://localhost:9" in function.environment["CORS_ORIGINS"]


def test_each_prefix_has_its_function() -> None:
    routes = {route.route_key: route.function_key for route in load_definition(TERRAFORM).routes}
    prefixes = {
        "data": "data",
        "universes": "data",
        "strategies": "strategies",
        "dashboard": "strategies",
        "scanner": "scanner",
        "quant2": "quant2",
        "validation": "validation",
        "trades": "trades",
    }
    for prefix, function in prefixes.items():
        assert routes.pop(f"ANY /api/{prefix}") == routes.pop(f"ANY /api/{prefix}/{{proxy+}}") == function
    assert routes == {"$default": "trades"}


def test_frames_are_for_those_who_compute() -> None:
    functions = load_definition(TERRAFORM).functions
    assert {function.key for function in functions if "frames" in function.layers} == {"quant2", "validation", "worker"}
    assert sum(function.reserved_concurrency or 0 for function in functions) <= 70


def test_jobs_reach_the_worker_and_what_fails_is_put_aside() -> None:
    definition = load_definition(TERRAFORM)
    for key in ("worker", "ingest"):
        source = next(found for found in definition.event_sources if found.function_key == key)
        queue = next(found for found in definition.queues if found.name == source.queue)
        assert queue.visibility_timeout_s == 6 * definition.function(key).timeout_s
        assert (queue.max_receive_count, queue.dead_letter) == (3, f"{queue.name}-dead-letter")
        assert (source.batch_size, source.reports_item_failures) == (1, True)
    for key in ("data", "strategies", "scanner"):
        assert definition.function(key).environment["JOBS_QUEUE_URL"].endswith("/potential-parakeet-local-worker")


def test_the_universe_is_ingested_every_morning() -> None:
    (daily,) = load_definition(TERRAFORM).schedules
    assert (daily.function_key, daily.expression, daily.timezone) == ("ingest", "cron(0 6 * * ? *)", "UTC")
    assert (daily.input, daily.maximum_retries) == ('{"universe_key":"SPX500"}', 2)


def test_queues_schedules_and_the_authorizer_are_read(copy: Path, edit: Callable[[str, str, str], None]) -> None:
    assert load_definition(copy).authorizers == ()
    with (copy / "environments" / "local.tfvars").open("a", encoding="utf-8") as file:
        file.write("edge_authorizer = true\n")
    schedule = '{ daily = { expression = "cron(30 21 ? * MON-FRI *)", timezone = "UTC", input = { do = "it" } } }'
    edit("lambda.tf", "schedules            = {}", f"schedules            = {schedule}")
    edit("lambda.tf", "queue                = []", "queue                = [{ batch_size = 3, max_receive_count = 2 }]")
    definition = load_definition(copy)

    (authorizer,) = definition.authorizers
    assert (authorizer.function_key, authorizer.ttl_s) == ("edge-authorizer", 300.0)
    assert authorizer.identity_sources == ("$request.header.x-edge-secret",)
    assert {route.authorizer for route in definition.routes} == {authorizer.name}
    trades = next(queue for queue in definition.queues if queue.name == "potential-parakeet-local-trades")
    assert (trades.visibility_timeout_s, trades.max_receive_count) == (180, 2)
    assert trades.dead_letter == "potential-parakeet-local-trades-dead-letter"
    source = next(found for found in definition.event_sources if found.function_key == "trades")
    assert (source.queue, source.batch_size, source.reports_item_failures) == (trades.name, 3, True)
    daily = next(found for found in definition.schedules if found.function_key == "trades")
    assert (daily.expression, daily.input, daily.maximum_retries) == ("cron(30 21 ? * MON-FRI *)", '{"do":"it"}', 2)


def test_a_syntax_error_names_file_and_line(copy: Path) -> None:
    with (copy / "s3.tf").open("a", encoding="utf-8") as file:
        file.write('resource "aws_s3_bucket" {\n')
    with pytest.raises(ConfigurationError) as raised:
        load_definition(copy)
    line = len((copy / "s3.tf").read_text(encoding="utf-8").splitlines())
    assert f"s3.tf:{line}" in raised.value.where
    assert raised.value.hint


def test_a_syntax_error_in_the_variables_names_file_and_line(copy: Path) -> None:
    (copy / "environments" / "local.tfvars").write_text('environment = "local\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_definition(copy)
    assert "local.tfvars:1" in raised.value.where


@pytest.mark.parametrize(
    ("old", "new", "message", "place"),
    [
        ('"target.functions.trades.handler.handler"', "null", "is null or unknown", "lambda.tf:"),
        ('      handler              = "target.functions.trades.handler.handler"\n', "", "no handler", "lambda.tf:"),
        ('"target.functions.trades.handler.handler"', '"no spaces here"', "'no spaces here'", "lambda.tf:"),
        ('= ["dependencies"]', '= ["pandas"]', "names a layer that does not exist", "lambda.tf:"),
        (
            "route in function.routes : route => key",
            'route in function.routes : route => "nosuch"',
            "leads to no known function",
            "api_gateway.tf:",
        ),
        ("tostring(var.use_s3_cache)", "aws_apigatewayv2_api.main.id.x", "not known before apply", "lambda.tf:"),
    ],
)
def test_a_wrong_function_or_route_names_file_line_and_fix(
    copy: Path, old: str, new: str, message: str, place: str
) -> None:
    file = next(path for path in copy.glob("*.tf") if old in path.read_text(encoding="utf-8"))
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message) as raised:
        load_definition(copy)
    assert place in raised.value.where
    assert raised.value.hint


def test_a_missing_directory_or_environment_is_said(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(ConfigurationError, match="no Terraform files"):
        load_definition(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="dev, local, prod, staging"):
        load_definition(copy, environment="production")
