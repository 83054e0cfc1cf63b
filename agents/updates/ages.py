"""The counters of posts at fixed ages, sent once per age, when a sample passes the age."""

from collections.abc import Iterable

from agents.updates.fixed_ages import at_ages
from agents.updates.folding import Fold
from streams.analytics import PostAge, Window


def put_ages(fold: Fold) -> Iterable[Window]:
    if fold.moved is None:
        return
    for crossing in fold.moved.crossings:
        for post_id, age_s, counters, interpolated in at_ages(crossing):
            views, forwards, replies, reactions = counters
            yield PostAge(
                channel_id=fold.event.channel_id,
                observed_at_ms=fold.event.observed_at_ms,
                post_id=post_id,
                age_s=age_s,
                views=views,
                forwards=forwards,
                replies=replies,
                reactions=reactions,
                interpolated=interpolated,
            )
