"""The application of a role without a page: /healthz, /readyz, /metrics, behind the same guard."""

from litestar import Litestar
from litestar.di import Provide

from api import operation, problems
from api.health import Health
from streams.metrics import Metrics


def build(health: Health, metrics: Metrics) -> Litestar:
    """The ASGI application; api.server puts the guard before it."""
    return Litestar(
        operation.ROUTES,
        dependencies={
            "health": Provide(lambda: health, sync_to_thread=False),
            "counted": Provide(lambda: metrics, sync_to_thread=False),
        },
        exception_handlers=problems.handlers(metrics),
        openapi_config=None,
        logging_config=None,
    )
