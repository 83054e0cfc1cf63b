"""Settings of the history writer."""

import msgspec


class HistorySettings(msgspec.Struct, frozen=True):
    #: A batch is stored at this number of rows or this age. Many rows, because merging parts costs
    #: more than holding rows, and only a backlog fills a batch before its time.
    batch_rows: int = 150_000
    batch_s: float = 0.5
    #: Pauses between attempts while the store is unavailable: the first and the longest.
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    #: A batch begun longer ago is begun again before the next insertion.
    renew_s: float = 5.0
    #: The windows of late samples are computed once no more of them wait in the log, or after this
    #: time.
    recompute_s: float = 10.0
