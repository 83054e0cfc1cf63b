"""A reader that knows one channel: for what the API does around history's answers."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from clickhouse.evidence import Basis
from clickhouse.history import HistoryDamaged, HistoryUnavailable, QueryFailed
from clickhouse.reader import (
    Alert,
    Channel,
    CurvePoint,
    Evidence,
    GrowthPoint,
    Instant,
    Overview,
    Page,
    Post,
    ViewsPoint,
)
from streams.ids import ChannelId, PostId, Username
from tests.api.serving import CHANNEL, NOW_MS

T = TypeVar("T")

_AS_OF_MS = NOW_MS - 1_500
_HALF_A_DAY, _THE_POST = Basis(0.5, 12, _AS_OF_MS), Basis(0.75, 1, _AS_OF_MS)
KNOWN = Evidence(
    ["telegram"],
    {
        **dict.fromkeys(("views_gained", "alerts", "change"), _HALF_A_DAY),
        **dict.fromkeys(("posts", "views", "reach_1h"), _THE_POST),
    },
)
NOTHING = Evidence([], {})
_POST = Post(
    PostId(7), Instant(NOW_MS - 3_600_000), "Hello", "https://t.me/durov/7",
    1_000, 10, 5, 25, 4.0, 12.5,
    edited=False, deleted=False,
)  # fmt: skip


class FixedReader:
    """Implements clickhouse.reader.Reader."""

    async def channels(self) -> Sequence[Channel]:
        return [
            Channel(
                CHANNEL, "durov", "Durov", 10, NOW_MS - 9_000_000, NOW_MS - 3_600_000,
                NOW_MS - 1_500, "live", ["telegram"],
            )
        ]  # fmt: skip

    async def channel(self, named: ChannelId | Username) -> Channel | None:
        return (await self.channels())[0] if named in (CHANNEL, "durov") else None

    async def overview(
        self, channel_id: ChannelId, from_ms: int, to_ms: int
    ) -> tuple[Overview, Evidence]:
        if to_ms < NOW_MS - 9_000_000:
            nothing = dict.fromkeys(Overview.__struct_fields__)
            return Overview(**nothing), NOTHING
        return Overview(
            10, 1, 1, 1_000, 400, 10, 5, 25, 1_000.0, 1_000.0, 10_000.0, None, 4.0, 0.14, 250.0,
            None, None, None,
        ), KNOWN  # fmt: skip

    async def views(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[ViewsPoint], Evidence]:
        points = [
            ViewsPoint(Instant(from_ms), None, None, None, None, 0, 0.0),
            ViewsPoint(Instant(from_ms + step_ms), 400, 3, 2, 8, 1, 0.5),
        ]
        return points, KNOWN

    async def growth(
        self, channel_id: ChannelId, from_ms: int, to_ms: int, step_ms: int
    ) -> tuple[Sequence[GrowthPoint], Evidence]:
        return [GrowthPoint(Instant(from_ms), 10, 1, 0.5)], KNOWN

    async def posts(
        self,
        channel_id: ChannelId,
        from_ms: int,
        to_ms: int,
        sort: str,
        limit: int,
        cursor: str | None,
    ) -> tuple[Page, Evidence]:
        return Page([_POST], "next"), KNOWN

    async def post(self, channel_id: ChannelId, post_id: PostId) -> tuple[Post, Evidence] | None:
        return (_POST, KNOWN) if post_id == _POST.post_id else None

    async def curve(
        self, channel_id: ChannelId, post_id: PostId
    ) -> tuple[Sequence[CurvePoint], Evidence] | None:
        if post_id != _POST.post_id:
            return None
        return [CurvePoint(Instant(NOW_MS - 3_540_000), 60, 40, 0, None, None)], KNOWN

    async def alerts(
        self, channel_id: ChannelId | None, from_ms: int, to_ms: int, limit: int
    ) -> tuple[Sequence[Alert], Evidence]:
        rows = [
            Alert(
                f"spike-{number}", CHANNEL, "spike", "raised",
                Instant(NOW_MS - number * 60_000), None,
                PostId(7), 400.0, 80.0, "ratio", None, None,
            )
            for number in range(3)
        ]  # fmt: skip
        return rows[:limit], KNOWN

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        return {CHANNEL: (1, _THE_POST)}

    async def ask(self, question: str, of: type[T], **parameters: Any) -> Sequence[T]:
        return []


class AwayReader(FixedReader):
    async def channels(self) -> Sequence[Channel]:
        raise HistoryUnavailable("127.0.0.1:8123 refuses connections")

    async def posts_of_all(
        self, from_ms: int, to_ms: int
    ) -> Mapping[ChannelId, tuple[int | None, Basis]]:
        raise HistoryUnavailable("127.0.0.1:8123 refuses connections")


class FailingReader(FixedReader):
    async def channels(self) -> Sequence[Channel]:
        raise QueryFailed("SELECT secret FROM nowhere")


class DamagedReader(FixedReader):
    async def channels(self) -> Sequence[Channel]:
        raise HistoryDamaged("table posts: /secret/place all_1_1_0")


class BrokenReader(FixedReader):
    async def channels(self) -> Sequence[Channel]:
        raise RuntimeError("a secret of the inside")
