"""How often Telegram is asked for what. All durations are in the clock's time but `…_s`."""

import msgspec

from streams.units import DAY_MS, HOUR_MS, MINUTE_MS


class CollectorSettings(msgspec.Struct, frozen=True):
    #: Observation.source of what is published.
    source: str = "telegram"
    #: Join followed channels: Telegram pushes to members only. Without it they are polled.
    join: bool = True
    #: (younger than, sampled at least every): the counters of a post by its age. Older ones are
    #: left alone. The first `every` is also how often a channel has a turn at most (turns).
    sampling: tuple[tuple[int, int], ...] = (
        (HOUR_MS, MINUTE_MS),
        (6 * HOUR_MS, 5 * MINUTE_MS),
        (48 * HOUR_MS, 30 * MINUTE_MS),
        (30 * DAY_MS, 12 * HOUR_MS),
    )
    #: Posts of one channel that are sampled at most: the newest.
    most_recent: int = 3000
    #: How often the newest posts are read again, for what no push told.
    check_every_ms: int = 5 * MINUTE_MS
    #: How often all posts known are compared with Telegram, beside each time that something was or
    #: may have been missed; and the pause between two requests of it, over all channels.
    compare_every_ms: int = DAY_MS
    compare_pause_ms: int = 1000
    #: How often subscribers, title and description are read.
    describe_every_ms: int = 5 * MINUTE_MS
    #: Read a channel's whole history, back from where following began.
    backfill: bool = True
    #: Between two pages of backfill, over all channels of the account.
    backfill_pause_ms: int = 1000
    #: How often a channel that cannot be read is tried again. Pauses before a name is asked for
    #: that nobody has, or that is no channel's, grow up to the longest.
    unreadable_retry_ms: int = HOUR_MS
    longest_name_retry_ms: int = DAY_MS
    #: Requests of one account that wait for their answer at once.
    most_calls: int = 10
    #: Pushed updates not yet published; beyond it they are read from history instead.
    most_pushes: int = 10_000
    #: Wall-clock seconds after which an unanswered request counts as a lost connection.
    call_timeout_s: float = 60.0
    #: Wall-clock pauses between attempts to connect grow from the first to the longest.
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
