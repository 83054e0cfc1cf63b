"""Who may ask: the Host of a request, the Origin of a socket, and the key where one is set.

The Host check stops a foreign page that points its own name at 127.0.0.1; the Origin check stops
one that opens a socket to us. A browser gives the key as the password of a login dialog (any user
name) and then carries a cookie, because it can set no headers on a socket.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Refused
from api.settings import Settings, is_loopback

COOKIE = "analyticbot_session"
_ASK = {"WWW-Authenticate": 'Basic realm="AnalyticBot: the API key as password"'}


class Guard:
    """ASGI middleware around every route and socket. Raises Refused."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers.from_scope(scope)
        check_host(headers.get("host", ""), self._settings)
        if scope["type"] == ScopeType.WEBSOCKET:
            check_origin(headers.get("origin"), headers.get("host", ""))
        key = self._settings.api_key
        if not key:
            return await self._app(scope, receive, send)
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        if is_session(connection.cookies.get(COOKIE, ""), key):
            return await self._app(scope, receive, send)
        if not is_key(headers, key):
            raise Refused(401, "key-required", "give the API key: Authorization: Bearer …", _ASK)
        return await self._app(scope, receive, _with_session(send, key))


def check_host(host: str, settings: Settings) -> None:
    """Raises Refused for a name that is neither this machine's own nor allowed."""
    name = urlsplit(f"//{host}").hostname or ""
    if is_loopback(name) or name in settings.allowed_hosts:
        return
    if settings.api_key and not settings.allowed_hosts:
        return
    raise Refused(403, "host-refused", f"this service does not answer for the host {name!r}")


def check_origin(origin: str | None, host: str) -> None:
    """A page may open a socket only to the host that it came from. Raises Refused."""
    if origin is not None and urlsplit(origin).netloc != host:
        raise Refused(403, "origin-refused", f"no socket for pages of {origin}")


def is_key(headers: Headers, key: str) -> bool:
    """Whether the headers carry the key; takes as long for a wrong one as for the right one."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        value = _password(value)
    elif scheme.lower() != "bearer":
        value = headers.get("x-api-key", "")
    return hmac.compare_digest(value.encode(), key.encode())


def session(key: str) -> str:
    """What the cookie of somebody who gave the key holds; a new key ends all sessions."""
    return hmac.new(key.encode(), b"analyticbot session", hashlib.sha256).hexdigest()


def is_session(cookie: str, key: str) -> bool:
    return hmac.compare_digest(cookie.encode(), session(key).encode())


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _with_session(send: Send, key: str) -> Send:
    """Adds the cookie to the response's head."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={session(key)}; Path=/; HttpOnly; SameSite=Strict"
            MutableScopeHeaders(message).add("Set-Cookie", cookie)
        await send(message)

    return wrapped
