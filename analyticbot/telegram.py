"""The collector as a member of the crew, on the session that `analyticbot login` stored."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import cast

from telethon.sessions import Session, SQLiteSession

from analyticbot.config import Settings
from analyticbot.engine import Engine
from analyticbot.failure import Failure
from analyticbot.following import keep_following
from control.store import ControlStore
from streams.clock import Clock
from streams.log import LogError
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.publisher import Publisher
from streams.sources.telegram.client import AccountLost, client_factory
from streams.sources.telegram.collector import Collector
from streams.sources.telegram.settings import CollectorSettings

logger = logging.getLogger(__name__)

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
    account: Callable[[], Account],
    settings: CollectorSettings | None = None,
    pauses: Pauses | None = None,
) -> None:
    """Observe the followed channels until the crew stops.

    A session that Telegram refuses (signed out, or used from two places) does not end the process:
    what is known stays on the page, and `account` is asked again after growing pauses, because
    `analyticbot login` may have stored another one meanwhile.
    """
    pauses = pauses or Pauses(first_s=5, longest_s=300)

    async def run() -> None:
        told = ""
        async with Publisher(engine.log, engine.metrics) as publisher:
            while True:
                make_client = client_factory(*account())
                ports = (publisher, control, clock, engine.metrics)
                lost = await _observe(Collector(make_client, *ports, settings), engine, ports)
                if str(lost) != told:
                    told = str(lost)
                    logger.error("telegram_account_lost", extra={"reason": told})
                await pauses.pause()

    engine.crew.add("collector", run())


async def _observe(
    collector: Collector, engine: Engine, ports: tuple[Publisher, ControlStore, Clock, Metrics]
) -> AccountLost:
    """Until the account is lost. Raises Failure when the log cannot be written."""
    _, control, clock, _ = ports
    lost: list[BaseException] = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_following(collector, control, engine.log, clock))
            group.create_task(collector.run())
    except* AccountLost as errors:
        lost.extend(errors.exceptions)
    except* LogError as errors:
        raise Failure(str(errors.exceptions[0])) from errors
    return cast(AccountLost, lost[0])
