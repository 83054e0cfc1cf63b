"""The application of a role without a page: /healthz, /readyz, /metrics, behind the same guard."""

from litestar import Litestar
from litestar.di import Provide
from litestar.middleware import DefineMiddleware

from api import operation, problems
from api.guard import Guard
from api.health import Health
from api.settings import Settings
from streams.metrics import Metrics


def build(health: Health, metrics: Metrics, settings: Settings) -> Litestar:
    """Raises UnsafeSettings when others could reach it without a key."""
    settings.check()
    return Litestar(
        operation.ROUTES,
        dependencies={
            "health": Provide(lambda: health, sync_to_thread=False),
            "counted": Provide(lambda: metrics, sync_to_thread=False),
        },
        middleware=[DefineMiddleware(Guard, settings=settings)],
        exception_handlers=problems.handlers(metrics),
        openapi_config=None,
        logging_config=None,
    )
