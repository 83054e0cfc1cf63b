"""What stands before the application: the guard, and HEAD wherever there is GET.

Nothing of a request that the guard refuses reaches the router.
"""

from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.guard import Guard
from api.problems import Refused, answer, with_head
from streams.metrics import Metrics


class Front:
    """An ASGI application around `app`."""

    def __init__(self, app: ASGIApp, guard: Guard, metrics: Metrics) -> None:
        self._app = app
        self._guard = guard
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            cookie = self._guard.admit(scope)
        except Refused as error:
            self._metrics.dropped("api", error.code)
            await answer(error, scope, send)
            return
        if scope["type"] == ScopeType.HTTP:
            if scope["method"] == "HEAD":
                scope, send = _as_get(scope), _head_of(send)
            elif scope["method"] == "OPTIONS":
                send = _allowing_head(send)
            if cookie is not None:
                send = _with_header(send, b"set-cookie", cookie.encode())
        await self._app(scope, receive, send)


def _as_get(scope: Scope) -> Scope:
    copy: Any = {**scope, "method": "GET"}
    return copy  # type: ignore[no-any-return]


def _head_of(send: Send) -> Send:
    """The answer to GET without its body; one that never ends, ends with its head."""
    ended = False

    async def wrapped(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            ended = True
        elif not ended:
            await send(message)

    return wrapped


def _with_header(send: Send, name: bytes, value: bytes) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (name, value)]
        await send(message)

    return wrapped


def _allowing_head(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, with_head(value.decode()).encode() if name == b"allow" else value)
                for name, value in message["headers"]
            ]
        await send(message)

    return wrapped
