"""Who may ask: the Host of a request, the Origin of a socket, and the key where one is set.

The Host check stops a foreign page that points its own name at 127.0.0.1; the Origin check stops
one that opens a socket to us. A browser gives the key as the password of a login dialog (any user
name) and then carries a cookie, because it can set no headers on a socket.

Wrong keys are answered 429 once there were many. The right one is let in all the same: else a
stranger behind the same address could lock out who has it, and a key of KEY_AT_LEAST characters is
guessed at no rate that a server answers.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import Scope

from api.addresses import is_loopback, origin_of
from api.notices import Notices
from api.problems import Refused
from api.settings import Settings
from api.tries import Tries

COOKIE: Final = "analyticbot_session"
SESSION_S: Final = 30 * 86_400
_ASK: Final = {"WWW-Authenticate": 'Basic realm="AnalyticBot: the API key as password"'}
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{0,253})(?::[0-9]{0,5})?")


class _Asked(msgspec.Struct):
    """The headers that are looked at."""

    host: bytes = b""
    origin: bytes | None = None
    authorization: bytes = b""
    api_key: bytes | None = None
    cookie: bytes = b""


class Guard:
    def __init__(
        self,
        settings: Settings,
        notices: Notices,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._notices = notices
        self._now_ms = now_ms
        self._monotonic_s = monotonic_s
        self._tries = Tries()

    def admit(self, scope: Scope) -> str | None:
        """Whether this request or socket is answered; the cookie that its answer sets, if any.

        Raises Refused.
        """
        asked = _asked(scope)
        check_host(asked.host, self._settings)
        if asked.origin is not None and scope["type"] == ScopeType.WEBSOCKET:
            secure = scope["scheme"] in ("wss", "https")
            check_origin(asked.origin, asked.host, secure, self._settings)
        key = self._settings.api_key
        if not key:
            return None
        now_s = self._now_ms() // 1000
        if asked.cookie and is_session(_cookie(asked.cookie), key, now_s):
            return None
        given = _given(asked)
        if given is None:
            raise Refused(401, "key-required", "send the API key: Authorization: Bearer …", _ASK)
        if not hmac.compare_digest(given, key.encode()):
            raise self._wrong_key(scope)
        secure = scope["scheme"] in ("https", "wss")
        return (
            f"{COOKIE}={session(key, now_s + SESSION_S)}; Path=/; Max-Age={SESSION_S}; "
            f"HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"
        )

    def _wrong_key(self, scope: Scope) -> Refused:
        client = scope.get("client")
        address = origin_of(client[0]) if client else ""
        now_s = self._monotonic_s()
        self._notices.note(now_s, "key", "wrong", address)
        wait_s = self._tries.failed(address, now_s)
        if wait_s is None:
            return Refused(401, "key-required", "this is not the API key", _ASK)
        retry = {"Retry-After": str(math.ceil(wait_s))}
        return Refused(429, "too-many-tries", "there were too many wrong keys: wait", retry)


def check_host(host: bytes, settings: Settings) -> None:
    """Without a key only this machine's own names are answered. Raises Refused."""
    name = host_name(host)
    if name is None:
        raise Refused(400, "bad-host", "`Host` must be a name or an address")
    if not settings.api_key and not is_loopback(name):
        raise Refused(403, "host-refused", f"this service does not answer for the host {name!r}")


@lru_cache(maxsize=256)
def host_name(host: bytes) -> str | None:
    """The name or address in a Host header, without brackets and port; None where it is neither."""
    match = _HOST.fullmatch(host.decode("latin-1"))
    if match is None:
        return None
    name = match[1].lower()
    if not name.startswith("["):
        return name
    try:
        return str(ipaddress.IPv6Address(name[1:-1]))
    except ValueError:
        return None


def check_origin(origin: bytes, host: bytes, secure: bool, settings: Settings) -> None:
    """A page may open a socket only to the scheme and host that it came from. Raises Refused."""
    scheme = b"https" if secure else b"http"
    if origin == b"%s://%s" % (scheme, host):
        return
    shown = origin[:200].decode("latin-1")
    if shown == _origin(settings.public_url):
        return
    detail = f"no socket for pages of {shown}"
    if origin == b"https://" + host:
        detail += ": name the proxy that ends TLS in ANALYTICBOT_TRUSTED_PROXIES"
    raise Refused(403, "origin-refused", detail)


def session(key: str, until_s: int) -> str:
    """What the cookie of somebody who gave the key holds; a new key ends all sessions."""
    signed = f"analyticbot session {until_s}".encode()
    return f"{until_s}.{hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}"


def is_session(cookie: str, key: str, now_s: int) -> bool:
    until, _, _ = cookie.partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 12 and now_s < int(until)):
        return False
    return hmac.compare_digest(cookie.encode(), session(key, int(until)).encode())


def _asked(scope: Scope) -> _Asked:
    asked = _Asked()
    for name, value in scope["headers"]:
        if name == b"host":
            asked.host = value
        elif name == b"origin":
            asked.origin = value
        elif name == b"authorization":
            asked.authorization = value
        elif name == b"x-api-key":
            asked.api_key = value
        elif name == b"cookie":
            asked.cookie = asked.cookie + b"; " + value if asked.cookie else value
    return asked


def _given(asked: _Asked) -> bytes | None:
    """The key that the headers carry, right or wrong; None where there is none."""
    scheme, _, value = asked.authorization.partition(b" ")
    match scheme.lower():
        case b"bearer":
            return value.strip()
        case b"basic":
            return _password(value.strip())
        case _:
            return asked.api_key


def _password(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""


def _cookie(header: bytes) -> str:
    for part in header.decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _origin(url: str) -> str | None:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None
