"""All roles in one process, on real Telegram."""

from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.installed import decisions
from analyticbot.process import started
from analyticbot.roles.bot import answer
from analyticbot.roles.collect import collect
from analyticbot.roles.serve import serve
from analyticbot.roles.starting import application, bot_settings
from analyticbot.roles.work import work
from analyticbot.session_file import import_session
from analyticbot.signals import stop_on_signals
from analyticbot.stores import opened_control, opened_history, opened_log
from clickhouse.history_reader import HistoryReader
from streams.clock import CorrectedClock, SystemClock
from streams.metrics import Metrics


async def up(settings: Settings) -> None:
    """Runs until a signal. Raises Failure, ConfigError."""
    known = decisions(settings.without)
    # One clock for all: collector, log and agents use Telegram's time.
    clock = CorrectedClock(SystemClock())
    with stop_on_signals() as stop:
        async with opened_control(settings) as control:
            await import_session(settings, control, clock.now_ms())
            if not await control.accounts.all():
                raise Failure("nobody is logged in to Telegram here: run `analyticbot login` first")
            async with (
                opened_log(settings, known, clock) as log,
                opened_history(settings) as history,
                started(settings, log, clock, Metrics(), known) as process,
            ):
                reader = HistoryReader(history)
                work(process, history)
                server = await serve(process, reader, control)
                # Not needed: without Telegram, the page shows history.
                collect(process, control, application(settings), needed=False)
                if settings.bot_token:
                    told = bot_settings(settings, server.url)
                    answer(process, reader, control, settings.bot_token, told, needed=False)
                print(f"AnalyticBot is running: {server.url}", flush=True)
                await process.services.watch(stop)
