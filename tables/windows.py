"""Tumbling windows in event time: their starts, and which of them are closed.

Pure: everything follows from one number per channel, its watermark, the newest observation of it.
"""

#: How long after its end a window still accepts late samples, in event time.
LATENESS_MS = 600_000


def start_of(time_ms: int, size_ms: int) -> int:
    """The start of the window that contains `time_ms`; windows are [start, start + size)."""
    return time_ms - time_ms % size_ms


def oldest_open(watermark_ms: int, size_ms: int) -> int:
    """The start of the oldest window that is not closed.

    A window is closed when the watermark has reached its end + LATENESS_MS; so the oldest open one
    contains the instant LATENESS_MS before the watermark.
    """
    return start_of(watermark_ms - LATENESS_MS, size_ms)
