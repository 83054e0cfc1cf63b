"""`analyticbot up` on a Telegram of our own: the command, the stored session, the page's data."""

import asyncio
import json
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from telethon.sessions import SQLiteSession

pytest.importorskip("chdb", reason="the engine in process needs the extra `embedded`")

from loopback.telegram import LoopbackTelegram
from loopback.world.world import World
from streams.clock import SystemClock
from streams.ids import ChannelId
from tests.analyticbot.command import COMMAND, environment
from tests.patience import PATIENCE_S

USER = 777


def logged_in(telegram: LoopbackTelegram, data: Path) -> None:
    """What `analyticbot login` leaves."""
    data.mkdir()
    session = telegram.authorise(SQLiteSession(str(data / "telegram.session")), USER)
    session.save()
    session.close()


async def command(data: Path, *arguments: str) -> str:
    """What it printed."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, env=environment(data), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


def posts(url: str, channel: str) -> list[str]:
    """The texts of a channel's posts, newest first; none while it is not known."""
    try:
        with urllib.request.urlopen(
            f"{url}/api/v1/channels/{channel}/posts", timeout=PATIENCE_S
        ) as answer:
            rows: list[dict[str, Any]] = json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        error.close()
        return []
    return [row["text"] for row in rows]


async def wait_for_posts(url: str, channel: str, texts: list[str]) -> None:
    found = None
    while found != texts:
        found = await asyncio.to_thread(posts, url, channel)


@pytest.mark.timeout(200)
async def test_followed_channels_reach_the_api_and_later_ones_too(tmp_path: Path) -> None:
    world = World(SystemClock())
    first = world.add_channel(ChannelId(1_900_000_001), "first_channel", "First")
    second = world.add_channel(ChannelId(1_900_000_002), "second_channel", "Second")
    world.post(first, "before")
    world.post(second, "elsewhere")
    data = tmp_path / "data"
    async with LoopbackTelegram(world) as telegram:
        logged_in(telegram, data)
        await command(data, "follow", "@first_channel")
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            "up",
            env=environment(
                data, ANALYTICBOT_PORT="0", TELEGRAM_API_ID="1", TELEGRAM_API_HASH="loopback"
            ),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        url = re.findall(r"http://127\.0\.0\.1:\d+", line)[0]
        async with asyncio.timeout(PATIENCE_S):
            await wait_for_posts(url, "first_channel", ["before"])
            world.post(first, "now")
            await wait_for_posts(url, "first_channel", ["now", "before"])
            told = await command(data, "follow", "https://t.me/second_channel/5")
            assert told.startswith("@second_channel: followed from now on\nA collector runs: ")
            await wait_for_posts(url, "second_channel", ["elsewhere"])
            # Beside the process, which holds history.
            one, two = json.loads(await command(data, "channels", "--json"))
            [account] = json.loads(await command(data, "accounts", "--json"))
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert (one["channel"], one["id"], one["title"]) == ("first_channel", first.channel_id, "First")
    assert (two["username"], two["status"], two["reason"]) == ("second_channel", "live", None)
    assert account["account"] == one["account"] == two["account"]
    assert (account["status"], account["channels"]) == ("used", 2)
    assert not (data / "address.json").exists()
