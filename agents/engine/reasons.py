"""Why a message was dropped or altered: closed sets that tag the metrics."""

from typing import Literal, cast, get_args

#: Why a message, or a part of one, went to the dead letters.
DeadReason = Literal[
    # not msgpack
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
    # observed, published or edited before Telegram existed
    "past_date",
    # a counter below 0
    "negative_counter",
    # a number outside of the range of post ids, counters or times
    "out_of_range",
    # columns of counters that are not as long as the list of posts
    "uneven_columns",
    # a number that is not a channel id in any spelling
    "wrong_channel",
    # a key that is empty or too long, or too many keys
    "wrong_key",
]

#: Messages that this program cannot read: it may be older than the writer.
UNREADABLE: frozenset[DeadReason] = frozenset(
    ("broken_bytes", "unknown_version", "unknown_kind", "wrong_shape")
)
#: What depends on the clock of the log.
OF_THE_CLOCK: frozenset[DeadReason] = frozenset(("future_observation",))

#: Why a processed message was not handled like an ordinary one.
HandledReason = Literal[
    # a counter below the one before: nothing is gained, the lower value is the newest
    "counter_fell",
    # a repeated message: its present outputs are sent again
    "duplicate",
    # observed in a closed minute: no window books anything of it
    "late_message",
    # a post's sample that no window books: in a late message, or older than the post's newest
    "late_sample",
    # a channel id or a key in another spelling: sent again under the bare id
    "respelled",
]


class Rejected(ValueError):
    """A message can never be processed: it belongs to the dead letters."""

    def __init__(self, reason: DeadReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def dead_reason(reason: str) -> DeadReason:
    """A reason of the codec as one of the closed set."""
    if reason not in get_args(DeadReason):
        raise ValueError(f"{reason!r} is not a reason for a dead letter")
    return cast(DeadReason, reason)
