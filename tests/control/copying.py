"""A store with something of everything, and what is in a store."""

from collections.abc import Mapping, Sequence

from control.sql import open_control
from control.store import Account, Cursor, Delivery, FloodWait, Subscription
from streams.ids import ChannelId, PostId
from tests.control.keys import KEY

ONE, TWO = ChannelId(1001), ChannelId(1002)


async def fill(url: str) -> None:
    store = open_control(url, KEY)
    await store.migrate()
    await store.follow("@first", 1)
    await store.follow(str(TWO), 2)
    await store.resolve("@first", ONE, "first")
    await store.put_cursor(Cursor(ONE, PostId(77), backfill_done=True), {0: "posts"})
    await store.subscribe(Subscription(42, ONE))
    await store.put_delivery(Delivery("alert", 42, 7, "raised", 5))
    await store.settings.put("spikes.least", ONE, 5, 1)
    await store.accounts.put(Account(9, "session", 3))
    lease = await store.leases.acquire("account/9", "somebody", 60_000)
    assert lease is not None
    await store.accounts.claim(lease, 9, ["first"])
    await store.accounts.put_cursor(
        lease, 9, Cursor(TWO, PostId(5), backfill_done=False, access_hash=8)
    )
    await store.accounts.put_flood_wait(9, FloodWait("GetDialogs", None, 60), 3)
    await store.close()


async def content(url: str) -> Mapping[str, Sequence[object]]:
    store = open_control(url, KEY)
    try:
        return {
            "followed": list(await store.followed()),
            "cursors": [await store.cursor(ONE), await store.accounts.cursor(9, TWO)],
            "known_posts": [await store.known_posts(ONE)],
            "flood_waits": list(await store.accounts.flood_waits(9)),
            "subscriptions": list(await store.subscribers(ONE)),
            "settings": list(await store.settings.all()),
            "deliveries": list(await store.deliveries("alert")),
            "accounts": [(one.id, one.session) for one in await store.accounts.all()],
            "leases": [one.name for one in await store.leases.held("")],
            "shares": list(await store.accounts.claims()),
        }
    finally:
        await store.close()
