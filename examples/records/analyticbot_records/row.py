"""What is kept of a channel."""

from analyticbot.decisions import Row


class Best(Row, array_like=True, gc=False):
    """The best closed minute so far. Times are -1 until there is one."""

    views_gained: int = -1
    start_ms: int = -1
    #: The newest observation in that minute.
    observed_at_ms: int = -1
