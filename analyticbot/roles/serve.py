"""The role `serve`: page, REST and sockets. Any number of them serve any channel each."""

from analyticbot.process import Process
from analyticbot.roles.listening import api_settings, served
from api import app
from api.followed import FollowedChannels
from api.live_feed import Live
from api.live_view import LiveView
from api.server import Server
from api.settings import Settings as ApiSettings
from clickhouse.reader import Reader
from control.store import ControlStore


async def serve(
    process: Process,
    reader: Reader,
    control: ControlStore | None = None,
    settings: ApiSettings | None = None,
) -> Server:
    """Starts the page and API; returns when connections are accepted. Raises Failure.

    `control`, if readable, adds the channels that are followed but not observed.
    It reads analytics.* by offsets of its own, without a group, so replicas do not know each other.
    """
    settings = settings or api_settings(process.settings)
    kinds, traces = process.decisions.kinds, process.traces
    view = LiveView(kinds)
    live = Live(
        process.log, process.clock, process.metrics, traces=traces, reader=reader, view=view
    )
    ports = (process.log, process.clock, process.metrics)
    followed = FollowedChannels(control)
    application = app.build(reader, live, *ports, settings, process.health, followed, kinds)
    await live.start()
    try:
        server = Server(application, live, settings, process.metrics, process.clock)
        return await served(process, server)
    except BaseException:
        await live.stop()
        raise
