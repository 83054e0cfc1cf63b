"""A collector that is cancelled ends soon, whatever is away: its account is another's then."""

import asyncio
from contextlib import suppress

from collect import client_factory
from collect.client import CollectorClient
from tests.collect.conftest import Scene, history, until
from tests.patience import PATIENCE_S

#: More than the system takes in for a peer that does not read.
MUCH = bytes(32 << 20)


async def test_it_ends_where_telegram_does_not_answer(scene: Scene) -> None:
    scene.channel(history=history(3))
    await scene.follow("news")
    scene.telegram.faults.delay(3600, "messages.getHistory")
    scene.start()
    await until(lambda: scene.telegram.calls.count("messages.getHistory") == 1)
    assert scene.running is not None
    scene.running.cancel()
    await asyncio.wait({scene.running}, timeout=PATIENCE_S)
    assert scene.running.cancelled()
    await until(lambda: not scene.telegram.server._talks)


class Deaf(CollectorClient):
    """Hears only the second time that it is cancelled."""

    async def connect(self) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


async def test_it_ends_where_a_library_loses_that_it_was_cancelled(scene: Scene) -> None:
    await scene.follow("news")
    telegram, made = scene.telegram, asyncio.Event()

    def make() -> Deaf:
        made.set()
        return Deaf(scene.session, telegram.api_id, telegram.api_hash)

    scene.start()._make_client = make
    await made.wait()
    assert scene.running is not None
    scene.running.cancel()
    await asyncio.wait({scene.running}, timeout=PATIENCE_S)
    assert scene.running.cancelled()


async def test_a_connection_is_closed_where_telegram_takes_nothing_more(scene: Scene) -> None:
    telegram = scene.telegram
    client = client_factory(scene.session, telegram.api_id, telegram.api_hash)()
    await client.connect()
    [taking] = telegram.server._talks.values()
    taking.transport.pause_reading()
    writer = client._sender._connection._writer
    writer.write(MUCH)
    await client.close()
    # Thrown away, and not taken by the peer after all.
    await until(lambda: writer.transport.get_write_buffer_size() == 0)
    assert writer.transport.is_closing()
    taking.transport.abort()
