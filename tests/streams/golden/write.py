"""Writes the recording of the current version: `python -m tests.streams.golden.write`.

What has been written stays as it is: lines of the current version are only added at its end, for
fields that were added, and a file of an older version is never touched again.
"""

from pathlib import Path

import msgspec

from streams import analytics, codec, events
from streams.ids import ChannelId, PostId

HEAD = {"channel_id": ChannelId(1006503122), "observed_at_ms": 1_700_000_000_000}
POST = events.Post(
    post_id=PostId(7),
    date_ms=1_699_999_000_000,
    text="Привет, hello",
    edit_date_ms=1_699_999_500_000,
    media="photo",
    album_id=13,
    forwarded_from="durov",
    views=100,
    forwards=2,
    replies=0,
    reactions={"👍": 3, "custom:5": 1},
)
EVENTS: list[events.Event] = [
    events.PostsSeen(posts=[POST, events.Post(PostId(8), 1_699_999_100_000)], **HEAD),
    events.PostsEdited(posts=[POST], **HEAD),
    events.PostsDeleted(post_ids=[PostId(7), PostId(9)], **HEAD),
    events.CountersSampled(
        post_ids=[PostId(7), PostId(8)], views=[101, None], reactions=[4, 0], **HEAD
    ),
    events.SubscribersSampled(subscribers=12_053_036, source="recording", **HEAD),
    events.ChannelDescribed(title="Канал", username="durov", about="…", **HEAD),
    events.ChannelStatus(status="waiting", reason="flood", until_ms=1_700_000_060_000, **HEAD),
    events.StatisticsRead(graphs={"growth_graph": "{}"}, **HEAD),
]
DECISIONS: list[analytics.Analytics] = [
    analytics.ActivityWindow(start_ms=1_699_999_980_000, views_gained=5, posts=1, **HEAD),
    analytics.SubscribersWindow(
        start_ms=0, size_ms=60_000, first=1, last=3, low=1, high=4, samples=5, closed=True, **HEAD
    ),
    analytics.PostAge(post_id=PostId(7), age_s=300, views=10, interpolated=False, **HEAD),
    analytics.PostCounters(
        post_ids=[PostId(7)],
        dates_ms=[1],
        views=[2],
        forwards=[None],
        replies=[0],
        reactions=[3],
        **HEAD,
    ),
    analytics.ChannelSummary(title="Канал", subscribers=5, status="live", **HEAD),
    analytics.Alert(
        alert_id="a/spike/1",
        type="spike",
        state="raised",
        raised_at_ms=1,
        observed=50.0,
        expected=10.5,
        method="4 × median",
        **HEAD,
    ),
]
#: Each with fields that were added later.
ADDED: list[analytics.Analytics] = [
    analytics.ActivityWindow(
        start_ms=1_699_999_980_000, views_gained=5, samples=2, views_pace=1.2, **HEAD
    ),
    analytics.ActivityWindow(
        start_ms=1_699_999_980_000,
        views_gained=5,
        sampled_from_ms=1_699_999_970_000,
        sampled_to_ms=1_700_000_000_000,
        top_post_id=PostId(7),
        top_views_gained=4,
        **HEAD,
    ),
    analytics.PostAge(post_id=PostId(7), age_s=300, views=10.5, replies=2, **HEAD),
    analytics.LateSamples(
        offset=12, from_ms=1_699_000_000_000, to_ms=1_699_000_060_000, samples=3, **HEAD
    ),
]
ADDED_EVENTS: list[events.Event] = [
    events.PostsSeen(posts=[POST], complete_since_ms=1_699_000_000_000, **HEAD),
]


def main() -> None:
    lines = [("telegram.updates", message) for message in EVENTS]
    lines += [("analytics", message) for message in DECISIONS + ADDED]  # type: ignore[misc]
    lines += [("telegram.updates", message) for message in ADDED_EVENTS]
    path = Path(__file__).parent / f"v{events.VERSION}.jsonl"
    written = len(path.read_bytes().splitlines()) if path.exists() else 0
    with path.open("ab") as file:
        for topic, message in lines[written:]:
            data = codec.encode(message)
            line = {"topic": topic, "hex": data.hex(), "reads": msgspec.to_builtins(message)}
            file.write(msgspec.json.encode(line) + b"\n")


if __name__ == "__main__":
    main()
