"""The collector as a member of the crew, on the session that `analyticbot login` stored."""

import asyncio
from pathlib import Path

from telethon.sessions import Session, SQLiteSession

from analyticbot.config import Settings
from analyticbot.engine import Engine
from analyticbot.failure import Failure
from analyticbot.following import keep_following
from control.store import ControlStore
from streams.clock import Clock
from streams.log import LogError
from streams.publisher import Publisher
from streams.sources.telegram.client import AccountLost, client_factory
from streams.sources.telegram.collector import Collector
from streams.sources.telegram.settings import CollectorSettings

#: An authorised session, the application's id and its hash.
Account = tuple[Session, int, str]


def session_path(settings: Settings) -> Path:
    return settings.data / "telegram.session"


def stored_account(settings: Settings) -> Account:
    """Raises Failure where nobody has logged in."""
    path = session_path(settings)
    if not path.is_file():
        raise Failure("nobody is logged in to Telegram here: run `analyticbot login` first")
    assert settings.telegram_api_id is not None
    assert settings.telegram_api_hash is not None
    return SQLiteSession(str(path)), settings.telegram_api_id, settings.telegram_api_hash


def collect(
    engine: Engine,
    control: ControlStore,
    clock: Clock,
    account: Account,
    settings: CollectorSettings | None = None,
) -> None:
    """Observe the followed channels until the crew stops."""
    make_client = client_factory(*account)

    async def run() -> None:
        async with Publisher(engine.log, engine.metrics) as publisher:
            collector = Collector(make_client, publisher, control, clock, engine.metrics, settings)
            following = keep_following(collector, control, engine.log, clock)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(following)
                    group.create_task(collector.run())
            except* (AccountLost, LogError) as errors:
                raise Failure(str(errors.exceptions[0])) from errors

    engine.crew.add("collector", run())
