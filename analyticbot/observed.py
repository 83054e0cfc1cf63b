"""The observed channels, for a command that runs beside a process or without one.

Queries a history server directly. An embedded history belongs to one process: if that runs, its API
is queried; otherwise the folder is opened.
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
    """Channels by id, or the reason why they are unknown."""

    channels: Mapping[ChannelId, responses.Channel]
    unknown: str | None = None


class _Meta(msgspec.Struct):
    cursor: str | None = None


class _Page(msgspec.Struct):
    data: list[responses.Channel]
    meta: _Meta


async def observed(settings: Settings) -> Observed:
    """Reports failures of history and the API in `unknown` instead of raising them."""
    embedded = settings.history.startswith("chdb:")
    if embedded and (url := address_in(settings.data)):
        try:
            # If nothing listens there, open the folder, whatever has the file's lock.
            with suppress(aiohttp.ClientConnectorError):
                return Observed(await _asked(url, settings.api_key))
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            reason = str(error) or type(error).__name__
            return Observed({}, f"the running process at {url} does not answer: {reason}")
    try:
        # Opening the folder would create it.
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
            # A name without a channel has no id; the control store lists it.
            found |= {ChannelId(row.id): row for row in page.data if row.id is not None}
            if not (cursor := page.meta.cursor):
                return found


async def _read(settings: Settings) -> Mapping[ChannelId, responses.Channel]:
    async with opened_history(settings, migrate=False) as history:
        rows = await HistoryReader(history).channels()
    return {row.id: responses.channel(row) for row in rows}
