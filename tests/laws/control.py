"""What every control store promises; run by tests/control on each implementation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from control.store import ControlStore, Cursor, Delivery, Followed, Subscription
from streams.ids import ChannelId, InvalidChannel, PostId

NOW_MS = 1_750_000_000_000
DUROV = ChannelId(1_006_503_122)
NEWS = ChannelId(1_101_806_611)

Opener = Callable[[], Awaitable[ControlStore]]


class ControlLaws:
    """Subclasses give `opener`: each call opens the same, at first empty, store once more."""

    @pytest.fixture
    async def store(self, opener: Opener) -> AsyncIterator[ControlStore]:
        store = await opener()
        yield store
        await store.close()

    async def test_migrating_twice_changes_nothing(self, store: ControlStore) -> None:
        await store.follow("durov", NOW_MS)
        await store.migrate()
        assert len(await store.followed()) == 1

    async def test_following_twice_changes_nothing(self, store: ControlStore) -> None:
        first = await store.follow("durov", NOW_MS)
        second = await store.follow("@Durov", NOW_MS + 1)
        assert first == second == Followed("durov", None, "durov", NOW_MS)  # type: ignore[arg-type]
        assert await store.followed() == [first]

    async def test_an_id_is_one_channel_in_both_spellings(self, store: ControlStore) -> None:
        first = await store.follow(str(DUROV), NOW_MS)
        assert first == Followed(str(DUROV), DUROV, None, NOW_MS)
        assert await store.follow(f"-100{DUROV}", NOW_MS + 1) == first

    async def test_what_is_no_channel_is_refused(self, store: ControlStore) -> None:
        with pytest.raises(InvalidChannel):
            await store.follow("no channel", NOW_MS)
        assert await store.followed() == []

    async def test_a_resolved_channel_is_found_by_its_id(self, store: ControlStore) -> None:
        await store.follow("durov", NOW_MS)
        await store.resolve("durov", DUROV, "Durov")
        expected = Followed("durov", DUROV, "durov", NOW_MS)  # type: ignore[arg-type]
        assert await store.follow(str(DUROV), NOW_MS + 1) == expected

    async def test_a_channel_followed_by_id_and_name_is_one_when_resolved(
        self, store: ControlStore
    ) -> None:
        await store.follow(str(DUROV), NOW_MS)
        await store.follow("durov", NOW_MS + 1)
        await store.resolve("durov", DUROV, "durov")
        assert [each.channel_id for each in await store.followed()] == [DUROV]

    async def test_resolving_what_is_not_followed_changes_nothing(
        self, store: ControlStore
    ) -> None:
        await store.resolve("durov", DUROV, "durov")
        assert await store.followed() == []

    async def test_unfollowing_by_any_spelling(self, store: ControlStore) -> None:
        await store.follow("durov", NOW_MS)
        await store.resolve("durov", DUROV, "durov")
        assert await store.unfollow(f"-100{DUROV}") is True
        assert await store.unfollow("durov") is False
        assert await store.followed() == []

    async def test_followed_come_in_the_order_in_which_they_were(self, store: ControlStore) -> None:
        await store.follow("zeta", NOW_MS)
        await store.follow("alpha", NOW_MS + 1)
        assert [each.reference for each in await store.followed()] == ["zeta", "alpha"]

    async def test_a_cursor_is_replaced(self, store: ControlStore) -> None:
        assert await store.cursor(DUROV) is None
        await store.put_cursor(Cursor(DUROV))
        assert await store.cursor(DUROV) == Cursor(DUROV)
        newer = Cursor(DUROV, PostId(400), PostId(7), True, -(2**62), '{"400": [1, 0]}')
        await store.put_cursor(newer)
        assert await store.cursor(DUROV) == newer
        assert await store.cursor(NEWS) is None

    async def test_subscribing_twice_is_told(self, store: ControlStore) -> None:
        mine = Subscription(5, DUROV)
        assert await store.subscribe(mine) is True
        assert await store.subscribe(mine) is False
        assert await store.unsubscribe(mine) is True
        assert await store.unsubscribe(mine) is False

    async def test_subscriptions_by_chat_and_by_channel(self, store: ControlStore) -> None:
        mine, other, group = Subscription(5, DUROV), Subscription(5, NEWS), Subscription(-9, DUROV)
        for each in (mine, other, group):
            await store.subscribe(each)
        assert await store.subscriptions(5) == [mine, other]
        assert await store.subscribers(DUROV) == [group, mine]
        assert await store.subscribers(ChannelId(1)) == []

    async def test_a_delivery_is_replaced(self, store: ControlStore) -> None:
        raised = Delivery("spike-1", 5, 77, "raised", NOW_MS)
        assert await store.delivery("spike-1", 5) is None
        await store.put_delivery(raised)
        resolved = Delivery("spike-1", 5, 77, "resolved", NOW_MS + 9)
        await store.put_delivery(resolved)
        assert await store.delivery("spike-1", 5) == resolved
        assert await store.deliveries("spike-1") == [resolved]
        assert await store.deliveries("spike-2") == []

    async def test_old_deliveries_are_forgotten(self, store: ControlStore) -> None:
        await store.put_delivery(Delivery("a", 5, 1, "resolved", NOW_MS - 1))
        await store.put_delivery(Delivery("b", 5, 2, "raised", NOW_MS))
        assert await store.forget_deliveries(NOW_MS) == 1
        assert await store.delivery("a", 5) is None
        assert await store.delivery("b", 5) is not None

    async def test_many_writers_at_once_lose_nothing(self, store: ControlStore) -> None:
        chats = range(1, 101)
        await asyncio.gather(*(store.subscribe(Subscription(chat, NEWS)) for chat in chats))
        assert [each.chat_id for each in await store.subscribers(NEWS)] == list(chats)

    async def test_of_many_who_follow_at_once_one_is_first(self, store: ControlStore) -> None:
        calls = (store.follow("durov", NOW_MS + number) for number in range(20))
        assert set(await asyncio.gather(*calls)) == {(await store.followed())[0]}


class DurableControlLaws(ControlLaws):
    """Of stores that several processes open, one after the other or at once."""

    async def test_what_was_stored_is_there_after_a_restart(self, opener: Opener) -> None:
        first = await opener()
        await first.follow("durov", NOW_MS)
        await first.put_cursor(Cursor(DUROV, PostId(3)))
        await first.close()
        second = await opener()
        assert [each.reference for each in await second.followed()] == ["durov"]
        assert await second.cursor(DUROV) == Cursor(DUROV, PostId(3))
        await second.close()

    async def test_two_that_start_at_once_migrate_once(self, opener: Opener) -> None:
        stores = await asyncio.gather(*(opener() for _ in range(4)))
        await stores[0].subscribe(Subscription(5, DUROV))
        assert await stores[3].subscribers(DUROV) == [Subscription(5, DUROV)]
        for store in stores:
            await store.close()
