"""What is known of channels, for a command that runs beside a process or without one.

A server of history is asked itself. An embedded history is one process's: if one runs, its API is
asked; if none does, the folder is opened.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import aiohttp
import msgspec

from analyticbot.address import address_in
from analyticbot.config import Settings
from analyticbot.failure import Failure
from analyticbot.stores import opened_history
from api import responses
from clickhouse.aside import is_there
from clickhouse.history import HistoryError
from clickhouse.history_reader import HistoryReader
from streams.ids import ChannelId

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_PAGE = 500


class Observed(NamedTuple):
    """Channels by id, or why nothing is known of any."""

    channels: Mapping[ChannelId, responses.Channel]
    unknown: str | None = None


class _Meta(msgspec.Struct):
    cursor: str | None = None


class _Page(msgspec.Struct):
    data: list[responses.Channel]
    meta: _Meta


async def observed(settings: Settings) -> Observed:
    """Does not raise: what is not known is said in the answer."""
    embedded = settings.history.startswith("chdb:")
    if embedded and (url := address_in(settings.data)):
        try:
            # Nobody listens there: whatever has the file's lock, the folder says what is so.
            with suppress(aiohttp.ClientConnectorError):
                return Observed(await _asked(url, settings.api_key))
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            reason = str(error) or type(error).__name__
            return Observed({}, f"the running process at {url} does not answer: {reason}")
    try:
        # Opening the folder would make it.
        if not is_there(settings.history):
            return Observed({})
        return Observed(await _read(settings))
    except (Failure, HistoryError) as error:
        return Observed({}, str(error))


async def _asked(url: str, key: str | None) -> Mapping[ChannelId, responses.Channel]:
    found: dict[ChannelId, responses.Channel] = {}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    cursor: str | None = None
    async with aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session:
        while True:
            asked = {"limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
            async with session.get(f"{url}/api/v1/channels", params=asked) as answer:
                answer.raise_for_status()
                page = msgspec.json.decode(await answer.read(), type=_Page)
            # A name that leads nowhere has no id: the control store has it.
            found |= {ChannelId(row.id): row for row in page.data if row.id is not None}
            if not (cursor := page.meta.cursor):
                return found


async def _read(settings: Settings) -> Mapping[ChannelId, responses.Channel]:
    async with opened_history(settings, migrate=False) as history:
        rows = await HistoryReader(history).channels()
    return {row.id: responses.channel(row) for row in rows}
