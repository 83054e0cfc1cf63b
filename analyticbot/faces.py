"""API and bot as members of the crew."""

from analyticbot import __version__
from analyticbot.config import Settings
from analyticbot.engine import Engine
from analyticbot.failure import Failure
from api import app
from api.live_feed import Live
from api.server import Server, ServerError
from api.settings import Settings as ApiSettings
from bot.bot import Bot, BotError
from bot.settings import BotSettings
from control.store import ControlStore
from streams.clock import Clock


def api_settings(settings: Settings) -> ApiSettings:
    return ApiSettings(
        version=__version__, host=settings.host, port=settings.port, api_key=settings.api_key
    )


async def serve(engine: Engine, clock: Clock, settings: ApiSettings) -> Server:
    """Serve page, REST and sockets until the crew stops; returns when connections are accepted.

    Raises Failure when the address cannot be listened on.
    """
    live = Live(engine.log, clock, engine.metrics)
    application = app.build(engine.reader, live, engine.log, clock, engine.metrics, settings)
    server = Server(application, live, settings)
    await live.start()
    try:
        await server.start()
    except ServerError as error:
        await live.stop()
        raise Failure(str(error)) from error
    engine.crew.add("api", _wait(server))
    return server


async def _wait(server: Server) -> None:
    try:
        await server.wait()
    finally:
        await server.stop()


def answer(
    engine: Engine,
    control: ControlStore,
    clock: Clock,
    token: str,
    settings: BotSettings,
    api_url: str | None = None,
) -> None:
    """Run the bot until the crew stops. `api_url` None: Telegram's own. Raises Failure."""
    ports = (engine.reader, control, engine.log, clock, engine.metrics)
    try:
        member = Bot(token, api_url, *ports, settings)
    except BotError as error:
        raise Failure(str(error)) from error
    engine.crew.add("bot", member.run())
