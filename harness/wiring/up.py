"""`parakeet up`: both systems, answering until told to stop."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from harness.adapters.evidence_store import write_atomically
from harness.domain.errors import ConfigurationError
from harness.wiring.pair import PairOptions, RunningPair, mint_token, running_pair


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAddresses:
    """Where both systems are; absent parts are None. The file that holds it is readable by its owner only."""

    legacy_url: str
    target_url: str
    gateway_url: str
    edge_url: str | None
    legacy_db: str | None
    target_dsn: str = field(repr=False)
    aws_endpoint: str
    bucket: str | None
    legacy_token: str | None = field(repr=False)
    target_token: str | None = field(repr=False)
    legacy_jwt_secret_file: str | None
    target_jwt_secret_file: str
    pids: tuple[int, ...]


async def serve_pair(options: PairOptions, json_path: Path | None, on_ready: Callable[[PairAddresses], None]) -> None:
    """Starts both systems, writes `json_path` once both answer, and stays until it is cancelled.

    Raises:
        ConfigurationError, SystemUnavailable, DataRefused: as `running_pair`; or `json_path` cannot be written.
    """
    if json_path is not None:
        _clear(json_path)
    async with running_pair(options) as pair:
        addresses = _addresses(pair)
        if json_path is not None:
            write_atomically(json_path, orjson.dumps(asdict(addresses), option=orjson.OPT_INDENT_2), mode=0o600)
        on_ready(addresses)
        await asyncio.Event().wait()


def _clear(json_path: Path) -> None:
    """Who waits for the file must not read the addresses of an earlier pair."""
    if json_path.is_dir() or not os.access(json_path.parent, os.W_OK):
        hint = "Give a file in a directory that exists and can be written to."
        raise ConfigurationError("the addresses cannot be written", where=str(json_path), hint=hint)
    json_path.unlink(missing_ok=True)


def _addresses(pair: RunningPair) -> PairAddresses:
    legacy = pair.legacy
    buckets = {bucket.key: bucket.name for bucket in pair.definition.buckets}
    return PairAddresses(
        legacy_url=legacy.url,
        target_url=pair.cloud.gateway_url,
        gateway_url=pair.cloud.gateway_url,
        edge_url=None,
        legacy_db=_text(legacy.database_path),
        target_dsn=pair.target_dsn,
        aws_endpoint=pair.aws.endpoint,
        bucket=buckets.get("cache"),
        legacy_token=mint_token(legacy.jwt_secret_file),
        target_token=mint_token(pair.target_jwt_secret_file),
        legacy_jwt_secret_file=_text(legacy.jwt_secret_file),
        target_jwt_secret_file=str(pair.target_jwt_secret_file),
        pids=pair.pids,
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
