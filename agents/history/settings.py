"""What can be set of the history agent."""

import msgspec


class HistorySettings(msgspec.Struct, frozen=True):
    #: A batch is stored when it has so many rows, or is so old. Many: merging parts costs more than
    #: holding rows, and only a backlog fills a batch before its time.
    batch_rows: int = 150_000
    batch_s: float = 0.5
    #: How long to wait for a store that is away: at first, and at most.
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    #: A batch that was begun longer ago is begun again before the next insertion.
    renew_s: float = 5.0
    #: The windows of late samples are computed once no more of them are in the log, or after so
    #: long.
    recompute_s: float = 10.0
