"""Errors as RFC 9457 problems: the one shape of every error that the API answers with.

    Refused(HTTPException)   a problem with a code of the closed set `Code`

Everything else that goes wrong is turned into a problem by `handlers`.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap, Scope, Send

from api.violations import explained
from clickhouse.history import HistoryDamaged, HistoryUnavailable, QueryFailed
from streams.cursor_text import InvalidCursor
from streams.log import LogError
from streams.metrics import Metrics

_logger = logging.getLogger(__name__)

#: What a problem's `type` ends with.
Code = Literal[
    "bad-cursor",
    "bad-host",
    "bad-parameter",
    "busy",
    "channel-unknown",
    "cursor-too-old",
    "history-away",
    "history-damaged",
    "host-refused",
    "http",
    "internal",
    "invalid-channel",
    "key-required",
    "kind-unknown",
    "log-away",
    "not-ready",
    "origin-refused",
    "post-unknown",
    "query-failed",
    "range-unusable",
    "too-many-tries",
    "unknown-parameter",
]

TYPE = "urn:analyticbot:problem:"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class Problem(msgspec.Struct, frozen=True):
    """An error, as RFC 9457 has it."""

    #: urn:analyticbot:problem: and one of `Code`.
    type: str
    #: The type in words.
    title: str
    status: int
    #: What is wrong with this request, and what would be right.
    detail: str
    #: The path asked for.
    instance: str


class Refused(HTTPException):
    """A request that is answered with a problem. Raised by handlers, never caught by them."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """`members` are further ones of the problem, by their names."""
        super().__init__(detail=detail, status_code=status, headers=dict(headers or {}))
        self.code: Code = code
        self.members = members or {}


def problem(status: int, code: Code, detail: str, instance: str) -> Problem:
    """`title` says the same for every problem of one type."""
    words = HTTPStatus(status).phrase if code == "http" else code.replace("-", " ").capitalize()
    return Problem(TYPE + code, words, status, detail, instance)


def encoded(
    status: int, code: Code, detail: str, instance: str, members: Mapping[str, Any] | None = None
) -> bytes:
    """The body of a problem."""
    said = msgspec.structs.asdict(problem(status, code, detail, instance))
    return msgspec.json.encode({**said, **(members or {})})


async def answer(error: Refused, scope: Scope, send: Send) -> None:
    """Answers a request, or the handshake of a socket, that the application is not to hear of."""
    kind = "http.response" if scope["type"] == ScopeType.HTTP else "websocket.http.response"
    body = encoded(error.status_code, error.code, error.detail, scope["path"], error.members)
    told = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **(error.headers or {})}
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    start: Any = {"type": f"{kind}.start", "status": error.status_code, "headers": headers}
    await send(start)
    sent: Any = {"type": f"{kind}.body", "body": body, "more_body": False}
    await send(sent)


def handlers(metrics: Metrics) -> ExceptionHandlersMap:
    """One handler a kind of failure; failures of our own are counted and never shown."""

    def refused(request: Request[Any, Any, Any], error: Refused) -> Response[bytes]:
        metrics.dropped("api", error.code)
        told = (error.status_code, error.code, error.detail, error.headers, error.members)
        return _response(request, *told)

    def invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
        metrics.dropped("api", "bad-parameter")
        return _response(request, 400, "bad-parameter", explained(request, error))

    def bad_cursor(request: Request[Any, Any, Any], error: InvalidCursor) -> Response[bytes]:
        metrics.dropped("api", "bad-cursor")
        return _response(request, 400, "bad-cursor", str(error))

    def http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
        metrics.dropped("api", "http")
        allowed = (error.headers or {}).get("allow", "")
        if error.status_code == 405 and allowed == "websocket":
            upgrade = {"Upgrade": "websocket"}
            return _response(request, 426, "http", "open a WebSocket here", upgrade)
        detail = error.detail
        if allowed:
            detail = f"{request.method} is not possible here; possible are {with_head(allowed)}"
            return _response(request, 405, "http", detail, {"Allow": with_head(allowed)})
        return _response(request, error.status_code, "http", detail, error.headers)

    def away(request: Request[Any, Any, Any], error: HistoryUnavailable) -> Response[bytes]:
        metrics.error("api", "history_unavailable")
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        return _response(request, 503, "history-away", f"history is away: {error}", retry)

    def log_unavailable(request: Request[Any, Any, Any], error: LogError) -> Response[bytes]:
        metrics.error("api", "log_unavailable")
        retry = {"Retry-After": str(RETRY_AFTER_S)}
        return _response(request, 503, "log-away", f"the log is away: {error}", retry)

    def query_failed(request: Request[Any, Any, Any], error: QueryFailed) -> Response[bytes]:
        metrics.error("api", "query_failed")
        _logger.error("query_failed", extra={"path": request.url.path, "reason": str(error)})
        return _response(request, 500, "query-failed", "history refused the question")

    def damaged(request: Request[Any, Any, Any], error: HistoryDamaged) -> Response[bytes]:
        # The store has logged it, once; a page that asks every few seconds would repeat it.
        metrics.error("api", "history_damaged")
        detail = "history is damaged here: /readyz and `analyticbot doctor` say what to do"
        return _response(request, 500, "history-damaged", detail)

    def internal(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        metrics.error("api", type(error).__name__)
        _logger.error("request_failed", extra={"path": request.scope["path"]}, exc_info=error)
        return _response(request, 500, "internal", "the request failed; the log says why")

    return {
        Refused: refused,
        ValidationException: invalid,
        InvalidCursor: bad_cursor,
        HTTPException: http,
        HistoryUnavailable: away,
        HistoryDamaged: damaged,
        LogError: log_unavailable,
        QueryFailed: query_failed,
        Exception: internal,
    }


def with_head(allowed: str) -> str:
    """A list of methods, with HEAD beside GET: the server answers it wherever there is GET."""
    methods = {method.strip() for method in allowed.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _response(
    request: Request[Any, Any, Any],
    status: int,
    code: Code,
    detail: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response[bytes]:
    body = encoded(status, code, detail, request.scope["path"], members)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))
