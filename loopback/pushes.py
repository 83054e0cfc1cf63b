"""Turns events of the world into the updates that Telegram pushes to subscribers."""

from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from loopback.faults import Faults
from loopback.methods import render
from loopback.methods.caller import Place
from loopback.methods.updates import change
from loopback.mtproto.server import MtprotoServer
from loopback.world.channel import WorldChannel, WorldPost
from loopback.world.world import CountersMoved, Happening


class Pushes:
    """Listens to a world; pushes immediately to all accounts that have joined the channel."""

    def __init__(self, place: Place, server: MtprotoServer, faults: Faults) -> None:
        self._place = place
        self._server = server
        self._faults = faults

    def take(self, happening: Happening) -> None:
        channel = happening.channel
        if self._faults.is_push_lost(channel.channel_id):
            return
        if updates := self._updates(happening):
            self.push(channel, updates)

    def push(self, channel: WorldChannel, updates: list[Any]) -> None:
        now_s = self._place.world.clock.now_ms() // 1000
        for account in self._place.world.accounts.values():
            if channel.channel_id in account.joined:
                chats = [render.channel(account, channel)]
                # seq 0: the update is not part of the account's own sequence.
                pushed = types.Updates(updates, [], chats, now_s, 0)
                self._server.push(pushed, account.user_id)

    def _updates(self, happening: Happening) -> list[Any]:
        world = self._place.world
        if isinstance(happening, CountersMoved):
            now_ms = world.clock.now_ms()
            return _counters(happening.channel, happening.posts, now_ms)
        return change(world, happening.channel, happening.entry)


def _counters(channel: WorldChannel, posts: Sequence[WorldPost], now_ms: int) -> list[Any]:
    said: list[Any] = []
    peer = types.PeerChannel(channel.channel_id)
    for post in posts:
        now = post.counters.at(now_ms)
        if now.views is not None:
            views = types.UpdateChannelMessageViews
            said.append(views(channel.channel_id, post.post_id, now.views))
        if now.forwards is not None:
            forwards = types.UpdateChannelMessageForwards
            said.append(forwards(channel.channel_id, post.post_id, now.forwards))
        if now.reactions is not None:
            reactions = render.reactions(now.reactions)
            said.append(types.UpdateMessageReactions(peer, post.post_id, reactions))
    return said
