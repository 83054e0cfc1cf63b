"""How topics are kept."""

from streams import topics
from streams.ids import ChannelId
from streams.topics import channel_key


def test_names_and_keys_are_those_that_others_read() -> None:
    assert [topic.name for topic in topics.ALL] == [
        "telegram.updates",
        "analytics.windows",
        "analytics.alerts",
        "analytics.scores",
        "control.changes",
        "control.rebuilds",
    ]
    assert topics.UPDATES.dead == "telegram.updates.dead"
    assert channel_key(ChannelId(1006503122)) == b"1006503122"


def test_retention_is_settable_but_what_is_kept_for_good_stays() -> None:
    kept = topics.UPDATES.kept(days=2, mebibytes=3)
    assert (kept.retention_ms, kept.retention_bytes) == (2 * 86_400_000, 3 * 1024 * 1024)
    assert topics.CONTROL.kept(days=2, mebibytes=3) == topics.CONTROL
