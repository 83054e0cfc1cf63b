"""What is kept of a channel."""

from tables.rows import Row


class Highest(Row, array_like=True, gc=False):
    """The closed minute with the highest gain so far. Times are -1 until there is one."""

    views_gained: int = -1
    start_ms: int = -1
    observed_at_ms: int = -1
