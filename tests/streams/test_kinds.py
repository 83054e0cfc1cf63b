"""What others have seen of the kinds: keys and types stay as they were given out."""

from streams.kinds import KINDS
from tests.laws.kind import sample

#: By tag: the type of its CloudEvents, and the key of `sample`.
GIVEN_OUT = {
    "activity": ("analyticbot.window.activity", "1234/activity/1772366700000"),
    "subscribers": ("analyticbot.window.subscribers", "1234/subscribers/60000/1772366700000"),
    "post_age": ("analyticbot.post.age", "1234/age/5/6"),
    "late": ("analyticbot.samples.late", "1234/late/5"),
    "post_counters": ("analyticbot.post.counters", "1234/counters/1772366640000"),
    "channel": ("analyticbot.channel.summary", "1234/channel"),
    "alert": ("analyticbot.alert", "alert_id 5"),
}


def test_keys_and_types_are_those_that_were_given_out() -> None:
    told = {kind.tag: (kind.event_type, kind.upsert_key(sample(kind))) for kind in KINDS}
    assert {tag: told.get(tag) for tag in GIVEN_OUT} == GIVEN_OUT
