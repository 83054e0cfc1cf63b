"""aiogram's models are built when they are first used, not when aiogram is imported.

aiogram declares its 600 models with `defer_build` and then builds every one of them at the end of
its import: 110 MB and three seconds of processor time, of which a bot that sends texts uses a
twentieth. Here the import's calls of the public `model_rebuild` only record the names that they
pass; the three base classes use these names when pydantic builds a model on its first use.
"""

import sys
from typing import Any

from pydantic import BaseModel


def import_aiogram() -> None:
    """Import aiogram; without effect if it is already imported. Blocks.

    Must not run while another thread defines pydantic models.
    """
    if "aiogram" in sys.modules:
        return
    build: Any = BaseModel.__dict__["model_rebuild"]
    names: dict[str, Any] = {}

    def note_names(cls: type[BaseModel], /, **options: Any) -> None:
        names.update(options.get("_types_namespace") or {})

    _replace(BaseModel, classmethod(note_names))
    try:
        from aiogram.methods.base import Response, TelegramMethod
        from aiogram.types import TelegramObject
    finally:
        _replace(BaseModel, build)

    def build_with_names(cls: type[BaseModel], /, **options: Any) -> bool | None:
        built: bool | None = build.__func__(cls, **{"_types_namespace": names, **options})
        return built

    for base in (TelegramObject, TelegramMethod, Response):
        _replace(base, classmethod(build_with_names))


def _replace(model: type[BaseModel], rebuild: Any) -> None:
    model.model_rebuild = rebuild  # type: ignore[method-assign]
