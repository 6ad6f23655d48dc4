"""A path of slashes alone is the root (contract section 9)."""

from starlette.types import ASGIApp, Receive, Scope, Send


class SlashesOnlyIsRoot:
    """Rewrites `//` and longer, as sent, to `/` before routing; every other path, `/%2F` too, is left alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] == "http" and len(scope["raw_path"]) > 1 and not scope["raw_path"].strip(b"/"):
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self._app(scope, receive, send)
