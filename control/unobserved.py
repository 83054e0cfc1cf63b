"""Which followed channels were never observed."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from control.store import Followed
from streams.ids import ChannelId


class Observed(Protocol):
    """A channel of history."""

    @property
    def id(self) -> ChannelId: ...
    @property
    def username(self) -> str | None: ...


def unobserved(followed: Iterable[Followed], observed: Sequence[Observed]) -> list[Followed]:
    """Those that are none of the observed: by their ids, and by their names where they have no id.

    A name that leads to a channel by now may have been followed before that was known.
    """
    ids = {one.id for one in observed}
    names = {one.username.lower() for one in observed if one.username}
    return [
        one
        for one in followed
        if one.channel_id not in ids and (one.channel_id is not None or one.username not in names)
    ]
