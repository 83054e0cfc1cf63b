"""The HTTP server of a role without a page: health and metrics."""

from contextlib import nullcontext

from analyticbot import __version__
from analyticbot.address import announced
from analyticbot.config import Settings
from analyticbot.descriptors import connections, descriptors
from analyticbot.failure import Failure
from analyticbot.process import Process, is_embedded
from api import role_app
from api.limits import Limits
from api.server import Server, ServerError
from api.settings import Settings as ApiSettings


def api_settings(settings: Settings) -> ApiSettings:
    most = connections(settings.connections, descriptors())
    return ApiSettings(
        version=__version__,
        host=settings.host,
        port=settings.port,
        api_key=settings.api_key,
        trusted_proxies=settings.trusted_proxies,
        public_url=settings.public_url,
        limits=Limits(connections=most, per_address=max(1, most // 4)),
    )


async def listen(process: Process) -> Server:
    """Starts the API; it stops with the process's services, last if added first. Raises Failure."""
    settings = api_settings(process.settings)
    app = role_app.build(process.health, process.metrics)
    return await served(process, Server(app, None, settings, process.metrics, process.clock))


async def served(process: Process, server: Server) -> Server:
    """Adds the API as a service; returns when connections are accepted. Raises Failure."""
    try:
        await server.start()
    except ServerError as error:
        raise Failure(str(error)) from error
    process.services.add("api", _wait(server, process.settings))
    return server


async def _wait(server: Server, settings: Settings) -> None:
    with announced(settings.data, server.url) if is_embedded(settings) else nullcontext():
        try:
            await server.wait()
        finally:
            await server.stop()
