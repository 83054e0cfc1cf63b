"""The counters of posts at fixed ages, once each, when a sample passes the age."""

from collections.abc import Iterable

from agents.updates.fixed_ages import at_ages
from agents.updates.folding import Turn
from streams.analytics import PostAge, Window


def put_ages(turn: Turn) -> Iterable[Window]:
    if turn.moved is None:
        return
    for crossing in turn.moved.crossings:
        for post_id, age_s, counters, interpolated in at_ages(crossing):
            views, forwards, replies, reactions = counters
            yield PostAge(
                channel_id=turn.event.channel_id,
                observed_at_ms=turn.event.observed_at_ms,
                post_id=post_id,
                age_s=age_s,
                views=views,
                forwards=forwards,
                replies=replies,
                reactions=reactions,
                interpolated=interpolated,
            )
