"""Why a message was not processed, or not as it came: closed sets that tag the metrics."""

from typing import Literal, cast, get_args

#: Why a message went to the dead letters.
DeadReason = Literal[
    # not msgpack at all
    "broken_bytes",
    # a version, or a kind, that this program does not know
    "unknown_version",
    # not of the declared types, columns of unequal length, numbers out of any range
    "wrong_shape",
    # observed after now, or a post published after it was observed
    "future_date",
    # a counter below 0
    "negative_counter",
    # a number that is no channel id in any spelling
    "wrong_channel",
]

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
        raise ValueError(f"{reason!r} is no reason for a dead letter")
    return cast(DeadReason, reason)
