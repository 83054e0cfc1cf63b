"""What every control store promises; run by tests/control on each implementation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from control.store import (
    Account,
    ControlStore,
    Cursor,
    Delivery,
    FloodWait,
    Followed,
    Lease,
    LeaseLost,
    Standing,
    Subscription,
    account_lease,
)
from streams.broadcasts import SettingChanged
from streams.ids import ChannelId, InvalidChannel, PostId

NOW_MS = 1_750_000_000_000
DUROV = ChannelId(1_006_503_122)
NEWS = ChannelId(1_101_806_611)

#: Longer than any test; and so short that it has ended by the time somebody looks.
LONG_MS, SHORT_MS = 600_000, 1
ANN = Account(7, "session-of-ann", NOW_MS)
BEN = Account(8, "session-of-ben", NOW_MS + 1)

Opener = Callable[[], Awaitable[ControlStore]]


async def acquired(store: ControlStore, name: str, holder: str, ttl_ms: int = LONG_MS) -> Lease:
    """Asked for until it is free."""
    while True:
        if lease := await store.leases.acquire(name, holder, ttl_ms):
            return lease


async def using(store: ControlStore, account: Account, ttl_ms: int = LONG_MS) -> Lease:
    return await acquired(store, account_lease(account.id), "somebody", ttl_ms)


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

    async def test_a_name_that_looks_like_an_id_is_another_channel(
        self, store: ControlStore
    ) -> None:
        name = await store.follow(f"https://t.me/id{DUROV}", NOW_MS)
        assert name.channel_id is None
        assert (await store.follow(f"id{DUROV}", NOW_MS + 1)).channel_id == DUROV
        assert await store.follow(name.reference, NOW_MS + 2) == name
        await store.resolve(name.reference, NEWS, f"id{DUROV}")
        assert [each.channel_id for each in await store.followed()] == [NEWS, DUROV]

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
        newer = Cursor(DUROV, PostId(400), PostId(7), True, -(2**62), PostId(1 << 62))
        await store.put_cursor(newer)
        assert await store.cursor(DUROV) == newer
        assert await store.cursor(NEWS) is None

    async def test_known_posts_are_replaced_page_by_page(self, store: ControlStore) -> None:
        assert await store.known_posts(DUROV) == {}
        await store.put_cursor(Cursor(DUROV), {0: "a", 1: "b", -1: "c"})
        await store.put_cursor(Cursor(NEWS), {1: "d"})
        await store.put_cursor(Cursor(DUROV), {1: None, 2: "e", 0: "f", 7: None})
        await store.put_cursor(Cursor(DUROV))
        assert await store.known_posts(DUROV) == {0: "f", -1: "c", 2: "e"}
        assert await store.known_posts(NEWS) == {1: "d"}

    async def test_a_standing_is_what_was_told_last(self, store: ControlStore) -> None:
        followed = await store.follow("durov", NOW_MS)
        assert (followed.status, followed.status_at_ms) == ("pending", None)
        await store.put_standing("durov", Standing("waiting", "why", NOW_MS + 9, NOW_MS))
        await store.put_standing("durov", Standing("not_found", "nobody", NOW_MS + 5, NOW_MS + 1))
        await store.put_standing("news", Standing("live", "", None, NOW_MS))
        [told] = await store.followed()
        assert (told.reference, told.status, told.status_reason) == ("durov", "not_found", "nobody")
        assert (told.status_until_ms, told.status_at_ms) == (NOW_MS + 5, NOW_MS + 1)
        await store.unfollow("durov")
        assert (await store.follow("durov", NOW_MS)).status == "pending"

    async def test_flood_waits_are_kept_until_they_are_over(self, store: ControlStore) -> None:
        assert await store.flood_waits() == []
        every = FloodWait("GetDialogs", None, NOW_MS + 10)
        one = FloodWait("GetHistory", DUROV, NOW_MS + 20)
        for wait in (every, one):
            await store.put_flood_wait(wait, NOW_MS)
        assert sorted(await store.flood_waits(), key=str) == [every, one]
        longer = FloodWait("GetHistory", DUROV, NOW_MS + 50)
        await store.put_flood_wait(longer, NOW_MS + 10)
        assert await store.flood_waits() == [longer]

    async def test_flood_waits_are_an_account_s(self, store: ControlStore) -> None:
        await store.accounts.put(ANN)
        wait = FloodWait("GetHistory", None, NOW_MS + 20)
        await store.accounts.put_flood_wait(ANN.id, wait, NOW_MS)
        assert await store.accounts.flood_waits(ANN.id) == [wait]
        assert await store.accounts.flood_waits(BEN.id) == []
        await store.accounts.put_flood_wait(BEN.id, wait, NOW_MS + 99)
        assert await store.accounts.flood_waits(ANN.id) == [wait]
        await store.accounts.remove(ANN.id)
        assert await store.accounts.flood_waits(ANN.id) == []

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

    async def test_a_lease_has_one_holder(self, store: ControlStore) -> None:
        mine = await store.leases.acquire("bot", "one", LONG_MS)
        assert mine == Lease("bot", "one", 1)
        assert await store.leases.acquire("bot", "two", LONG_MS) is None
        assert await store.leases.acquire("other", "two", LONG_MS) == Lease("other", "two", 1)
        assert await store.leases.renew(mine, LONG_MS)

    async def test_of_many_who_acquire_at_once_one_gets_it(self, store: ControlStore) -> None:
        calls = (store.leases.acquire("bot", f"number {n}", LONG_MS) for n in range(20))
        got = [lease for lease in await asyncio.gather(*calls) if lease]
        assert len(got) == 1
        assert await store.leases.held("bot") == got

    async def test_a_lease_that_has_ended_is_another_s_and_its_fence_grows(
        self, store: ControlStore
    ) -> None:
        first = await store.leases.acquire("bot", "one", SHORT_MS)
        assert first is not None
        second = await acquired(store, "bot", "two")
        assert second.fence > first.fence
        assert not await store.leases.renew(first, LONG_MS)
        assert await store.leases.renew(second, LONG_MS)

    async def test_an_ended_lease_that_nobody_has_had_since_is_renewed(
        self, store: ControlStore
    ) -> None:
        first = await store.leases.acquire("bot", "one", SHORT_MS)
        assert first is not None
        while await store.leases.held("bot"):
            pass
        assert await store.leases.renew(first, LONG_MS)
        assert await store.leases.held("bot") == [first]
        assert await store.leases.acquire("bot", "two", LONG_MS) is None

    async def test_an_ended_lease_that_another_has_had_since_is_not_renewed(
        self, store: ControlStore
    ) -> None:
        first = await store.leases.acquire("bot", "one", SHORT_MS)
        assert first is not None
        await store.leases.release(await acquired(store, "bot", "two"))
        assert not await store.leases.renew(first, LONG_MS)
        assert await store.leases.held("bot") == []

    async def test_a_released_lease_is_not_renewed(self, store: ControlStore) -> None:
        first = await acquired(store, "bot", "one")
        await store.leases.release(first)
        assert not await store.leases.renew(first, LONG_MS)

    async def test_renewing_moves_the_end(self, store: ControlStore) -> None:
        mine = await acquired(store, "bot", "one")
        assert await store.leases.renew(mine, SHORT_MS)
        other = await acquired(store, "bot", "two")
        assert not await store.leases.renew(mine, LONG_MS)
        assert await store.leases.held("bot") == [other]

    async def test_its_holder_gets_it_anew_with_a_new_fence(self, store: ControlStore) -> None:
        first = await acquired(store, "bot", "one")
        again = await store.leases.acquire("bot", "one", LONG_MS)
        assert again == Lease("bot", "one", first.fence + 1)
        assert not await store.leases.renew(first, LONG_MS)

    async def test_a_released_lease_is_free_at_once(self, store: ControlStore) -> None:
        first = await acquired(store, "bot", "one")
        await store.leases.release(first)
        assert await store.leases.held("bot") == []
        second = await store.leases.acquire("bot", "two", LONG_MS)
        assert second == Lease("bot", "two", first.fence + 1)
        await store.leases.release(first)
        assert await store.leases.held("bot") == [second]

    async def test_leases_are_found_by_the_beginning_of_their_names(
        self, store: ControlStore
    ) -> None:
        for name in ("a_b/1", "a_b/2", "axb/3", "a_"):
            await acquired(store, name, "one")
        assert [lease.name for lease in await store.leases.held("a_b/")] == ["a_b/1", "a_b/2"]

    async def test_accounts_come_in_the_order_in_which_they_were_added(
        self, store: ControlStore
    ) -> None:
        for account in (BEN, ANN):
            await store.accounts.put(account)
        assert await store.accounts.all() == [ANN, BEN]
        assert await store.accounts.remove(ANN.id) is True
        assert await store.accounts.remove(ANN.id) is False
        assert await store.accounts.all() == [BEN]

    async def test_a_refusal_is_kept_until_there_is_a_new_session(
        self, store: ControlStore
    ) -> None:
        await store.accounts.put(ANN)
        await store.accounts.put_refusal(ANN.id, "AUTH_KEY_DUPLICATED")
        assert [one.refused for one in await store.accounts.all()] == ["AUTH_KEY_DUPLICATED"]
        await store.accounts.put(ANN)
        assert await store.accounts.all() == [ANN]

    async def test_a_session_is_in_no_text_of_an_account(self, store: ControlStore) -> None:
        await store.accounts.put(ANN)
        assert "session-of-ann" not in repr(await store.accounts.all())

    async def test_a_channel_is_one_live_account_s(self, store: ControlStore) -> None:
        await store.follow("durov", NOW_MS)
        ann, ben = await using(store, ANN), await using(store, BEN)
        assert await store.accounts.claim(ann, ANN.id, ["durov", "unfollowed"]) == {"durov"}
        assert await store.accounts.claim(ann, ANN.id, ["durov"]) == {"durov"}
        assert await store.accounts.claim(ben, BEN.id, ["durov"]) == set()
        assert await store.accounts.claims() == {"durov": ANN.id}
        await store.accounts.let_go(BEN.id, ["durov"])
        assert await store.accounts.claims() == {"durov": ANN.id}
        await store.accounts.let_go(ANN.id, ["durov"])
        assert await store.accounts.claim(ben, BEN.id, ["durov"]) == {"durov"}

    async def test_channels_of_an_account_that_nobody_uses_are_free(
        self, store: ControlStore
    ) -> None:
        await store.follow("durov", NOW_MS)
        ann, ben = await using(store, ANN), await using(store, BEN)
        await store.accounts.claim(ann, ANN.id, ["durov"])
        await store.leases.release(ann)
        assert await store.accounts.claim(ben, BEN.id, ["durov"]) == {"durov"}
        with pytest.raises(LeaseLost):
            await store.accounts.claim(ann, ANN.id, ["durov"])

    async def test_of_accounts_that_claim_at_once_one_has_the_channel(
        self, store: ControlStore
    ) -> None:
        names = [f"channel{number}" for number in range(5)]
        for name in names:
            await store.follow(name, NOW_MS)
        leases = [await using(store, Account(n, "", NOW_MS)) for n in range(1, 7)]
        claims = (store.accounts.claim(one, n, names) for n, one in enumerate(leases, 1))
        got = await asyncio.gather(*claims)
        assert sorted(name for claimed in got for name in claimed) == names
        shares = await store.accounts.claims()
        assert all(shares[name] == n for n, claimed in enumerate(got, 1) for name in claimed)

    async def test_shares_of_what_is_followed_no_longer_are_forgotten(
        self, store: ControlStore
    ) -> None:
        ann = await using(store, ANN)
        await store.follow("durov", NOW_MS)
        await store.accounts.claim(ann, ANN.id, ["durov"])
        await store.unfollow("durov")
        assert await store.accounts.claim(ann, ANN.id, ["durov"]) == set()
        assert await store.accounts.claims() == {}

    async def test_a_cursor_is_shared_and_its_access_hash_is_not(self, store: ControlStore) -> None:
        ann, ben = await using(store, ANN), await using(store, BEN)
        await store.accounts.put_cursor(ann, ANN.id, Cursor(DUROV, PostId(3), access_hash=-5))
        assert await store.accounts.cursor(BEN.id, DUROV) == Cursor(DUROV, PostId(3))
        await store.accounts.put_cursor(ben, BEN.id, Cursor(DUROV, PostId(4), access_hash=6))
        mine = await store.accounts.cursor(ANN.id, DUROV)
        assert mine == Cursor(DUROV, PostId(4), access_hash=-5)
        assert await store.accounts.cursor(ANN.id, NEWS) is None

    async def test_who_lost_the_lease_moves_no_cursor(self, store: ControlStore) -> None:
        late = await using(store, ANN, SHORT_MS)
        while await store.leases.held(late.name):
            pass
        # It has ended, and nobody has had it since.
        await store.accounts.put_cursor(late, ANN.id, Cursor(DUROV, PostId(1)))
        assert await store.accounts.claim(late, ANN.id, []) == set()
        now = await using(store, ANN)
        await store.accounts.put_cursor(now, ANN.id, Cursor(DUROV, PostId(3)), {0: "mine"})
        with pytest.raises(LeaseLost):
            await store.accounts.put_cursor(late, ANN.id, Cursor(DUROV, PostId(2)), {0: "late"})
        assert await store.accounts.cursor(ANN.id, DUROV) == Cursor(DUROV, PostId(3))
        assert await store.known_posts(DUROV) == {0: "mine"}


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

    async def test_two_processes_do_not_hold_one_lease(self, opener: Opener) -> None:
        one, two = await opener(), await opener()
        mine = await one.leases.acquire("bot", "one", LONG_MS)
        assert await two.leases.acquire("bot", "two", LONG_MS) is None
        assert await two.leases.held("bot") == [mine]
        for store in (one, two):
            await store.close()

    async def test_a_setting_replaces_the_one_of_its_name_and_channel(
        self, store: ControlStore
    ) -> None:
        put = store.settings.put
        await put("spikes.factor", None, 2.5, NOW_MS)
        await put("spikes.factor", DUROV, 3, NOW_MS)
        changed = await put("spikes.factor", None, 4.5, NOW_MS + 10)
        word = await put("any.word", None, "a 'b' \"c\"", NOW_MS)
        flag = await put("any.flag", NEWS, value=False, now_ms=NOW_MS)
        found = await store.settings.all()
        of_durov = SettingChanged(
            at_ms=NOW_MS, name="spikes.factor", channel_id=DUROV, value=3, version=NOW_MS
        )
        assert found == [flag, word, changed, of_durov]
        assert changed == SettingChanged(
            at_ms=NOW_MS + 10, name="spikes.factor", value=4.5, version=NOW_MS + 10
        )
        assert [type(each.value) for each in found] == [bool, str, float, int]

    async def test_what_is_unset_is_announced_as_well(self, store: ControlStore) -> None:
        await store.settings.put("spikes.least", None, 5, NOW_MS)
        unset = await store.settings.put("spikes.least", None, None, NOW_MS + 1)
        assert unset.value is None
        assert await store.settings.all() == [unset]

    async def test_a_version_grows_though_the_clock_goes_back(self, opener: Opener) -> None:
        one, other = await opener(), await opener()
        first = await one.settings.put("spikes.least", None, 5, NOW_MS)
        puts = [
            store.settings.put("spikes.least", None, 6, NOW_MS - 60_000) for store in (one, other)
        ]
        versions = {change.version for change in await asyncio.gather(*puts)}
        assert versions == {first.version + 1, first.version + 2}
        await one.close()
        await other.close()
