"""One fetch an execution environment, a time to live, and errors that say what to do."""

import asyncio
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from target.errors import SecretsUnavailable
from target.secrets import SecretStore
from target.settings import Settings

LAMBDA = Settings(is_lambda=True, aws_secrets_manager_name="app/dev", secrets_cache_ttl_s=60)
SECRET = {"NEON_DATABASE_URL": "postgresql://u:hunter2@h/d", "JWT_SECRET": "hunter2"}


class Source:
    """Stands in for Secrets Manager and for the clock."""

    def __init__(self, *answers: Mapping[str, str] | SecretsUnavailable) -> None:
        self.answers = list(answers)
        self.fetches = 0
        self.named: list[str] = []
        self.now = 1000.0

    async def fetch(self, _settings: Settings, name: str) -> Mapping[str, str]:
        self.fetches += 1
        self.named.append(name)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SecretsUnavailable):
            raise answer
        return answer

    def store(self, settings: Settings = LAMBDA) -> SecretStore:
        return SecretStore(settings, fetch=self.fetch, clock=lambda: self.now)


async def test_concurrent_callers_share_one_fetch():
    source = Source(SECRET)
    store = source.store()
    found = await asyncio.gather(*(store.get_database_credentials() for _ in range(10)), store.get_jwt_secret())
    assert source.fetches == 1
    assert found[0]["NEON_DATABASE_URL"] == "postgresql+asyncpg://u:hunter2@h/d"
    assert found[-1] == "hunter2"


async def test_the_secret_is_fetched_again_after_its_time_to_live():
    source = Source(SECRET, {**SECRET, "JWT_SECRET": "rotated"})
    store = source.store()
    assert await store.get_jwt_secret() == "hunter2"
    source.now += 59.9
    assert await store.get_jwt_secret() == "hunter2"
    source.now += 0.1
    assert await store.get_jwt_secret() == "rotated"
    assert source.fetches == 2


async def test_a_failed_refresh_keeps_the_known_secret_and_a_failed_first_fetch_does_not_stick():
    denied = SecretsUnavailable("denied")
    source = Source(denied, SECRET, denied)
    store = source.store()
    with pytest.raises(SecretsUnavailable):
        await store.get_jwt_secret()
    assert await store.get_jwt_secret() == "hunter2"
    source.now += 100
    assert await store.get_jwt_secret() == "hunter2"
    assert source.fetches == 3


async def test_refused_credentials_are_forgotten():
    source = Source(SECRET)
    store = source.store()
    await store.get_database_credentials()
    store.forget()
    await store.get_database_credentials()
    assert source.fetches == 2


async def test_outside_lambda_the_environment_is_the_source():
    source = Source(SECRET)
    store = source.store(Settings(database_url="sqlite:///x.db", jwt_secret="local"))
    assert await store.get_database_credentials() == {"NEON_DATABASE_URL": "sqlite+aiosqlite:///x.db"}
    assert await store.get_jwt_secret() == "local"
    assert source.fetches == 0


async def test_a_secret_without_an_address_says_which_key_to_add():
    with pytest.raises(SecretsUnavailable, match=r"'app/dev' has no NEON_DATABASE_URL: add that key"):
        await Source({"OTHER": "x"}).store().get_database_credentials()


async def test_no_signing_key_anywhere_says_so():
    with pytest.raises(SecretsUnavailable, match="No JWT_SECRET"):
        await Source({"OTHER": "x"}).store().get_jwt_secret()


async def test_a_store_shows_its_name_alone():
    store = Source(SECRET).store()
    await store.get_jwt_secret()
    assert repr(store) == "SecretStore('app/dev')"


async def test_the_token_of_tiingo_comes_from_the_secret_of_api_keys():
    source = Source({"TIINGO_API_KEY": "hunter2"})
    settings = LAMBDA.model_copy(update={"api_keys_secret_name": "app/dev/api-keys"})
    store = source.store(settings)
    assert (await store.get_tiingo_token()).get_secret_value() == "hunter2"
    assert "hunter2" not in repr(await store.get_tiingo_token())
    assert source.named == ["app/dev/api-keys"]


async def test_a_token_in_the_environment_spares_the_secret():
    source = Source({"TIINGO_API_KEY": "from the secret"})
    store = source.store(LAMBDA.model_copy(update={"tiingo_api_key": SecretStr("given")}))
    assert (await store.get_tiingo_token()).get_secret_value() == "given"
    assert source.fetches == 0
