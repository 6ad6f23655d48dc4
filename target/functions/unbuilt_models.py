"""Imports FastAPI with its own models unbuilt: they describe OpenAPI documents, which no function ever generates.

Building their validators would be a fifth of INIT's processor time (`python -m bench.function_init`). pydantic builds a
model at its first use where `defer_build` says so, unless `model_rebuild` is called before. FastAPI has no switch for
either, so the base class is told while FastAPI is imported. Models of the target are built as ever: requests need them.
"""

from typing import Any

from pydantic import BaseModel

_rebuild: Any = BaseModel.__dict__["model_rebuild"]


def _rebuild_when_used(model: type[BaseModel], /, **options: Any) -> bool | None:
    """Build for pydantic, which asks at the first use and with options; FastAPI asks at once and without."""
    return _rebuild.__func__(model, **options) if options else None


BaseModel.model_config["defer_build"] = True
BaseModel.model_rebuild = classmethod(_rebuild_when_used)  # type: ignore[method-assign,assignment]
try:
    import fastapi  # noqa: F401
finally:
    del BaseModel.model_config["defer_build"]
    BaseModel.model_rebuild = _rebuild  # type: ignore[method-assign]
