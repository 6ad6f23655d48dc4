"""A FastAPI application below a path of its own; what it made is named by `Location` alone."""

from uuid import uuid4

from fastapi import FastAPI, HTTPException, Response


def create_app() -> FastAPI:
    """The application, with its ports in memory."""
    app = FastAPI(root_path="/v2")
    ports: set[str] = set()

    @app.post("/ports", status_code=201)
    async def create() -> Response:
        made = str(uuid4())
        ports.add(made)
        return Response(status_code=201, headers={"Location": f"/v2/ports/{made}"})

    @app.get("/ports/{port}")
    async def read(port: str) -> dict[str, str]:
        if port not in ports:
            raise HTTPException(404, "no such port")
        return {"state": "open"}

    return app
