"""The options that say how two systems are reached: the same for every command that replays."""

from pathlib import Path
from typing import Annotated

import typer

LegacyUrl = Annotated[str, typer.Option(help="Address of the legacy.")]
TargetUrl = Annotated[str, typer.Option(help="Address of the target.")]
LegacyDb = Annotated[Path | None, typer.Option(help="SQLite file that the legacy has open; marked as disposable.")]
TargetDsn = Annotated[str | None, typer.Option(help="The target's PostgreSQL; marked as disposable.")]
Sessions = Annotated[
    list[str] | None,
    typer.Option(help="Session file, recording, HAR, access log or glob; repeatable. Default: scenarios/sessions/**"),
]
LegacyToken = Annotated[
    str | None,
    typer.Option(help="Bearer token, or `NAME: VALUE`, for requests to the legacy that bring no credentials."),
]
TargetToken = Annotated[
    str | None,
    typer.Option(help="Bearer token, or `NAME: VALUE`, for requests to the target that bring no credentials."),
]
LegacySecretFile = Annotated[
    Path | None, typer.Option(help="File with the secret that the legacy's `auth` tokens are made with.")
]
TargetSecretFile = Annotated[
    Path | None, typer.Option(help="File with the secret that the target's `auth` tokens are made with.")
]
Waivers = Annotated[Path | None, typer.Option(help="Default: scenarios/waivers.toml")]
Config = Annotated[Path | None, typer.Option(help="Configuration instead of parakeet.toml.")]
