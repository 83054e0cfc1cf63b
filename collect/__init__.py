"""Telegram as a source: the channels followed, observed through Telethon, as events in the log.

- client: one connection's settings, and what its errors mean
- calls: one account's requests
- waits: its flood waits, by method and channel; kept
- mapping: Telegram's objects as events (pure)
- turns: which posts are sampled when (pure)
- recent: the posts known, and what a page of history tells of them (pure)
- rounds: in which order the posts known are compared with Telegram (pure)
- names: what channels and others are called, and what they are (pure)
- channel: what is known of one channel while it is followed
- connection: what the work on channels shares while a connection lasts
- dialogs: the account's dialogs, listed as far as somebody asks
- resolving: which channel a reference means, and its access hash
- introduction: describing, joining
- history: reading pages; catching up, backfill, comparing the newest posts
- comparing: comparing all posts known by their ids
- counters: reading counters and reactions
- sampling: a turn of samples
- follower: one channel's work, each job when it is due
- pushes: what Telegram pushes; queued, merged, published
- collector: one account; connect, follow, connect again
"""

from collect.client import AccountLost, client_factory
from collect.collector import Collector
from collect.settings import CollectorSettings

__all__ = ["AccountLost", "Collector", "CollectorSettings", "client_factory"]
