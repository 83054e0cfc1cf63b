"""The application: every route and socket in one place.

/api/v1/…              REST, taps.stream, live_socket
/healthz /readyz …     operation.ROUTES, as in every role
/openapi.json /docs    documents
everything else        pages: the dashboard
"""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware

from api import (
    about,
    channels,
    decided,
    documents,
    operation,
    pages,
    posts,
    problems,
    questions,
    taps,
)
from api.caching import Caching
from api.checks import history_check, live_check
from api.followed import FollowedChannels
from api.health import Health
from api.instants import ENCODERS, InstantSchema
from api.live_feed import Live
from api.live_socket import live_socket
from api.ports import Ports
from api.settings import Settings
from api.spelling import SpellingApp
from clickhouse.reader import Reader
from streams.clock import Clock
from streams.intake import Intake
from streams.kinds import KINDS
from streams.known import Kinds
from streams.log import Log
from streams.metrics import Metrics

#: What REST answers.
REST: Final[list[HTTPRouteHandler]] = [
    *channels.ROUTES,
    *posts.ROUTES,
    *decided.ROUTES,
    about.about,
]


def build(
    reader: Reader,
    live: Live,
    log: Log,
    clock: Clock,
    metrics: Metrics,
    settings: Settings,
    health: Health | None = None,
    followed: FollowedChannels | None = None,
    kinds: Kinds = KINDS,
) -> Litestar:
    """The ASGI application; api.server puts the guard before it.

    `live` is started and stopped by the caller. Its parts are added to `health`, beside those of
    the process that are in it already.
    """
    followed = followed or FollowedChannels()
    intake = Intake("taps", metrics, kinds)
    ports = Ports(reader, live, log, clock, metrics, settings, followed, intake, kinds)
    health = health or Health()
    health.add("live", live_check(live))
    # All replicas share it: were they not ready without it, open pages would lose their live values
    # to a load balancer, and new ones the sentence that says what is away.
    health.add("history", history_check(reader), needed=False)
    api = Router("/api/v1", route_handlers=[*REST, taps.stream, live_socket])
    return SpellingApp(
        [api, *operation.ROUTES, documents.openapi_json, documents.asyncapi, pages.pages],
        dependencies={
            "ports": Provide(lambda: ports, sync_to_thread=False),
            "health": Provide(lambda: health, sync_to_thread=False),
            "counted": Provide(lambda: metrics, sync_to_thread=False),
        },
        middleware=[DefineMiddleware(Caching, metrics=metrics)],
        before_request=refuse_unknown_parameters,
        exception_handlers=problems.handlers(metrics),
        openapi_config=documents.openapi(settings),
        plugins=[InstantSchema()],
        type_encoders=ENCODERS,
        logging_config=None,
    )


def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Raises Refused for a query parameter that the OpenAPI document does not name."""
    if not request.query_params:
        return
    known = _parameters(request.app).get(request.scope["path_template"])
    if known is not None:
        questions.refuse_unknown(request.query_params.keys(), known)


def _parameters(app: Litestar) -> Mapping[str, frozenset[str]]:
    """The query parameters of every described GET route, by its path."""
    known: Mapping[str, frozenset[str]] | None = app.state.get("parameters")
    if known is None:
        known = dict(documents.query_parameters(app))
        app.state["parameters"] = known
    return known
