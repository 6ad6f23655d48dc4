"""Fuzzing a target by its OpenAPI document, judged by the exclusions of this migration."""

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from harness.adapters.openapi_fuzz import FuzzRequest, fuzz
from harness.domain.errors import ConfigurationError
from harness.domain.fuzz import FuzzExclusion, FuzzFindings, judge_fuzz, one_of_each
from harness.uninterrupted import run_to_its_end
from harness.wiring.paths import scenarios_directory

EXCLUSIONS_FILE = "fuzz.toml"
DOCUMENT_PATH = "/openapi.json"
DEFAULT_SEED = 1


class _Exclusions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exclusion: tuple[FuzzExclusion, ...] = ()


def load_exclusions(path: Path | None = None) -> tuple[FuzzExclusion, ...]:
    """Return the exclusions of a file, `scenarios/fuzz.toml` by default; none where that is absent.

    Raises:
        ConfigurationError: it cannot be read.
    """
    if path is None and not (scenarios_directory() / EXCLUSIONS_FILE).is_file():
        return ()
    path = path or scenarios_directory() / EXCLUSIONS_FILE
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Exclusions).exclusion
    except (OSError, ValueError) as error:
        hint = "Each [[exclusion]] has check, operation, quirk and reason, and may have title, message and status."
        raise ConfigurationError(f"the exclusions cannot be read: {error}", where=str(path), hint=hint) from error


async def fuzz_target(
    url: str, exclusions: Sequence[FuzzExclusion], *, examples: int, seed: int = DEFAULT_SEED, token: str | None = None
) -> FuzzFindings:
    """Fuzz the system at `url`; requests that do not test their own authorization bear the token.

    Raises:
        SystemUnavailable: it does not show its OpenAPI document.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = FuzzRequest(document_url=url.rstrip("/") + DOCUMENT_PATH, seed=seed, examples=examples, headers=headers)
    return judge_fuzz(await run_to_its_end(asyncio.to_thread(fuzz, request), on_cancel=request.stop.give), exclusions)


def describe_findings(findings: FuzzFindings) -> dict[str, object]:
    """Return the findings as JSON can carry them, one example of each kind of failure."""
    seen = findings.observations
    return {
        "seed": seen.seed,
        "cases": seen.cases,
        "operations": seen.operations,
        "checks": seen.checks,
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "server_errors": findings.server_errors,
        "problems": list(seen.problems),
        "unexplained": [asdict(failure) | {"count": count} for failure, count in one_of_each(findings.unexplained)],
        "excluded": [msgspec.to_builtins(exclusion) | {"count": count} for exclusion, count in findings.excluded],
    }
