"""Telegram as a source: the channels followed, observed through Telethon, as events in the log.

- client: one connection's settings and errors
- calls: one account's requests
- waits: its flood waits, by method and channel, stored
- mapping: Telegram's objects as events (pure)
- turns: when which posts are sampled (pure)
- recent: the known posts, compared with a page of posts (pure)
- rounds: the order in which known posts are compared with Telegram (pure)
- names: names and kinds of channels and other chats (pure)
- channel: the state of one followed channel
- connection: the parts that the work on channels shares while a connection lasts
- dialogs: the account's dialogs, listed as far as needed
- resolving: the channel that a reference means, and its access hash
- introduction: describing, joining
- pages: reading pages of posts; catch-up, backfill, comparing the newest posts
- comparing: comparing all known posts by their ids
- counters: reading counters and reactions
- sampling: a turn of samples
- follower: one channel's work, each job when it is due
- pushes: Telegram's pushes: queued, merged, published
- collector: one account: connect, follow, reconnect
"""

from collect.client import AccountLost, client_factory
from collect.collector import Collector
from collect.settings import CollectorSettings

__all__ = ["AccountLost", "Collector", "CollectorSettings", "client_factory"]
