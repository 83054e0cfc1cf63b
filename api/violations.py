"""What is wrong with a parameter, in words that name it and say what is allowed."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from litestar import Request
from litestar.exceptions import ValidationException


def explained(request: Request[Any, Any, Any], error: ValidationException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    return "; ".join(_violation(request, item) for item in extra) or error.detail


def _violation(request: Request[Any, Any, Any], item: dict[str, Any]) -> str:
    name = str(item.get("key", "?"))
    if allowed := list(_choices(_annotation(request, name))):
        given = request.query_params.get(name)
        return f"{name}: {given!r} is not allowed; use one of {', '.join(allowed)}"
    return f"{name}: {item.get('message', '')}"


def _annotation(request: Request[Any, Any, Any], name: str) -> Any:
    handler = request.scope.get("route_handler")
    parameters = {} if handler is None else handler.parsed_fn_signature.parameters
    for field in parameters.values():
        if name in (field.name, getattr(field.kwarg_definition, "name", None)):
            return field.annotation
    return None


def _choices(annotation: Any) -> Iterator[str]:
    """The values of a Literal, wherever it stands in a type."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for part in get_args(annotation):
            yield from _choices(part)
