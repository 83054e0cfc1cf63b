"""A turn of a channel: samples the counters of due posts."""

from collect.channel import FollowedChannel
from collect.comparing import publish_deleted
from collect.connection import Connection
from collect.counters import read_counters


async def sample(channel: FollowedChannel, on: Connection) -> None:
    """Send one request, if one is due. Publishes posts that are gone as deleted."""
    now_ms = on.clock.now_ms()
    post_ids = channel.recent.due(now_ms)
    if not post_ids:  # all were read by other ways since
        channel.recent.sampled((), now_ms)
        return
    read = await read_counters(channel, on, post_ids)
    if read.sample is not None:
        await on.publisher.publish(read.sample)
    channel.recent.sampled(post_ids, read.observed_at_ms)
    await publish_deleted(channel, on, read.silent)
