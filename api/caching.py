"""ETag, 304 and gzip for every JSON answer, in one place, with the time and count of requests.

Streams and files pass through untouched. The ETag is weak: it stands for the content, whatever
its encoding on the way.
"""

import gzip
import hashlib
from time import perf_counter

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from streams.metrics import Metrics

GZIP_FROM_BYTES = 1_000
_GZIP_LEVEL = 5
_JSON = ("application/json", "application/vnd.oai.openapi+json")


class Caching:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return await self._app(scope, receive, send)
        self._metrics.received("api")
        started = perf_counter()
        await self._app(scope, receive, _Answer(Headers.from_scope(scope), send))
        self._metrics.sent("api")
        self._metrics.observe("analyticbot_stage_seconds", perf_counter() - started, stage="api")
        return None


class _Answer:
    """Holds a JSON answer back until it is whole."""

    def __init__(self, asked: Headers, send: Send) -> None:
        self._asked = asked
        self._send = send
        self._start: HTTPResponseStartEvent | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_json(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message["body"]
            if not message.get("more_body"):
                await self._finish(self._start, bytes(self._body))
        else:
            await self._send(message)

    async def _finish(self, start: HTTPResponseStartEvent, body: bytes) -> None:
        headers = MutableScopeHeaders(start)
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers["ETag"] = etag
        headers["Cache-Control"] = "no-cache"
        headers["Vary"] = "Accept-Encoding"
        if matches(self._asked.get("if-none-match", ""), etag):
            start["status"] = 304
            body = b""
            del headers["Content-Type"]
        elif len(body) >= GZIP_FROM_BYTES and "gzip" in self._asked.get("accept-encoding", ""):
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if start["status"] == 304:
            del headers["Content-Length"]
        else:
            headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the client's copy is this one, by the weak comparison of RFC 9110."""
    opaque = etag.removeprefix("W/")
    known = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", opaque) for tag in known)


def _is_json(message: HTTPResponseStartEvent) -> bool:
    if message["status"] != 200:
        return False
    content_type = Headers(message["headers"]).get("content-type", "")
    return content_type.partition(";")[0] in _JSON
