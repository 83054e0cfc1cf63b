"""Tumbling windows in event time: where they start, and which of them are closed.

Everything follows from one number a channel, its watermark: the newest observation of it. No clock.
"""

#: How long after its end a window still takes what arrives late.
LATENESS_MS = 600_000


def start_of(time_ms: int, size_ms: int) -> int:
    """The start of the window that holds `time_ms`: windows are [start, start + size)."""
    return time_ms - time_ms % size_ms


def oldest_open(watermark_ms: int, size_ms: int) -> int:
    """The start of the oldest window that is not closed.

    A window is closed when the watermark has reached its end + LATENESS_MS; so the oldest open one
    is the one that holds the instant LATENESS_MS before the watermark.
    """
    return start_of(watermark_ms - LATENESS_MS, size_ms)
