"""`parakeet parity objects`."""

import asyncio
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from harness.domain.difference import Difference
from harness.domain.errors import ExitCode
from harness.domain.objects import TableObject
from harness.settings import load_settings
from harness.wiring.objects import bucket_of_session, compare_stored_objects, list_beside

_SHOWN = 200
_NAMED = 5


def objects(
    legacy_cache: Annotated[Path, typer.Option(help="The legacy's cache directory; read, never written.")],
    target_bucket: Annotated[str, typer.Option(help="The target's bucket; AWS_ENDPOINT_URL chooses another S3.")],
    config: Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")] = None,
) -> int:
    """Compare every file of the legacy's cache with the target's object: schema, types, index and all values.

    Which files, and the prefix in the bucket, are told by [objects] of the configuration. Exit codes: 0 all equal, 1
    any difference, 2 unreadable input, 3 no file to compare, or S3 does not answer. Objects that only the target has
    are named, and are no difference: what it keeps beside is its own.

    Example: parakeet parity objects --legacy-cache cache --target-bucket potential-parakeet-cache-dev
    """
    settings = load_settings(config).objects
    bucket = bucket_of_session(target_bucket, settings.prefix)
    legacy, differences = asyncio.run(compare_stored_objects(legacy_cache, bucket, settings))
    shown = list(islice(differences, _SHOWN))
    for each in shown:
        print(_line(each))
    more = sum(1 for _ in differences)
    if more:
        print(f"… and {more} more")
    values = sum(content.value_count for content in legacy.values() if isinstance(content, TableObject))
    beside = asyncio.run(list_beside(legacy, bucket, settings))
    if beside:
        more_of_them = "" if len(beside) <= _NAMED else f" and {len(beside) - _NAMED} more"
        print(f"not compared, as the legacy has no such file: {', '.join(beside[:_NAMED])}{more_of_them}")
    print(f"{len(legacy)} legacy objects with {values} values, {len(shown) + more} differences")
    if shown:
        return ExitCode.NO_GO
    return ExitCode.GO if legacy else ExitCode.INCONCLUSIVE


def _line(difference: Difference) -> str:
    return f"{difference.pointer}\t{difference.kind}\tlegacy {difference.legacy}\ttarget {difference.target}"
