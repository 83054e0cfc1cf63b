"""Why a message was not processed, or not as it came: closed sets that tag the metrics."""

from typing import Literal, cast, get_args

#: Why a message, or a part of one, went to the dead letters.
DeadReason = Literal[
    # not msgpack at all
    "broken_bytes",
    # a version that this program does not know
    "unknown_version",
    # a kind that this program does not know
    "unknown_kind",
    # not of the declared types
    "wrong_shape",
    # observed after the log appended it
    "future_observation",
    # a post published, or edited, after it was observed
    "future_date",
    # observed, published or edited before there was Telegram
    "past_date",
    # a counter below 0
    "negative_counter",
    # a number that no post id, counter or time can be
    "out_of_range",
    # counters that are not as many as the posts
    "uneven_columns",
    # a number that is no channel id in any spelling
    "wrong_channel",
    # a key of a decision's own that is empty or too long, or too many of them
    "wrong_key",
]

#: What this program cannot read: it may be older than what writes the messages.
UNREADABLE: frozenset[DeadReason] = frozenset(
    ("broken_bytes", "unknown_version", "unknown_kind", "wrong_shape")
)
#: What depends on the clock of the log.
OF_THE_CLOCK: frozenset[DeadReason] = frozenset(("future_observation",))

#: What was handled, but not as an ordinary message.
HandledReason = Literal[
    # a counter below the one before: nothing is gained, the lower value is the newest
    "counter_fell",
    # a message that is in the rows already: its current outputs are sent again
    "duplicate",
    # observed in a minute that is closed: nothing of it is booked in a window
    "late_message",
    # a post's sample that no window took: in such a message, or older than the post's newest
    "late_sample",
    # a channel id or a key in another spelling: sent again under the bare id
    "respelled",
]


class Rejected(ValueError):
    """A message cannot be processed and never will: it belongs to the dead letters."""

    def __init__(self, reason: DeadReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def dead_reason(reason: str) -> DeadReason:
    """A reason of the codec as one of the closed set."""
    if reason not in get_args(DeadReason):
        raise ValueError(f"{reason!r} is not a reason for a dead letter")
    return cast(DeadReason, reason)
