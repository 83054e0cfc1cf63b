"""The bot's answers over the real history, through log and history agent."""

from pathlib import Path

import pytest

from bot import texts
from clickhouse.history_reader import HistoryReader
from tests.api.history import store
from tests.bot.stage import staged

pytest.importorskip("chdb", reason="history in process needs the extra `embedded`")


async def test_channels_and_overview(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        history = await store(stage.log, tmp_path / "history")
        stage.reader = HistoryReader(history)
        try:
            async with stage.running():
                channels = await stage.ask("/channels")
                assert "1,010 subscribers · +400 views in 1 of 24 h" in channels.text
                await stage.press(channels, "Durov")
                overview = (await stage.api.sent_to(5, 2))[1]
                assert overview.button(texts.ALERTS_ON)
        finally:
            await history.close()
    assert "Subscribers: 1,010\n" in overview.text
    assert "Views gained: +400 · 1 of 24 h observed" in overview.text
    assert "Posts: 2 · 10 of 24 h read\n" in overview.text
    assert "Views of these posts: 1,700 · 1 of 2 posts" in overview.text
    assert "Views per post after 1 h: 500 · 1 of 2 posts" in overview.text
    assert "Views per post after 24 h" not in overview.text
