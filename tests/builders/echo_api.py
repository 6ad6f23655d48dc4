"""A FastAPI application that answers with the credential that it was sent, under a name that does not say so."""

from fastapi import FastAPI, Request


def create_app() -> FastAPI:
    """The application."""
    app = FastAPI()

    @app.get("/echo")
    async def echo(request: Request) -> dict[str, str]:
        brought = request.headers
        return {"echoed": brought.get("authorization") or brought.get("x-key") or "nothing"}

    return app
