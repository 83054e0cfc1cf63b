"""The report that `analyticbot replay` prints at its end. Text only."""

from collections.abc import Iterator

from analyticbot.arrival import Arrived
from streams.recording import Recording
from streams.recording_problems import FileTally, Kept, Kind
from streams.sources.moved_log import Moved
from streams.sources.replay import Replayed

#: Examples per kind of problem; the line in the log has the counts.
_SHOWN = 3


def of_moved(moved: Moved) -> Iterator[str]:
    """Line by line."""
    yield f"{_count(moved.messages, 'message')} of that log {_are(moved.messages)} in history"
    if moved.already == moved.messages:
        yield "nothing was written: all of it was in the log already"
    elif moved.already:
        were = _were(moved.already)
        yield f"{moved.already} of them {were} in the log already, of a replay before"


def of_recording(recording: Recording, replayed: Replayed, arrived: Arrived) -> Iterator[str]:
    """Line by line."""
    yield from _of_history(replayed, arrived)
    for tally in recording.tallies:
        yield from _of_file(tally)
    for name, ids in recording.moved_names().items():
        told = ", ".join(map(str, ids))
        yield f"@{name} was the name of several channels ({told}): their rows went by channel_id"


def _of_history(replayed: Replayed, arrived: Arrived) -> Iterator[str]:
    rows, missing = arrived.rows, arrived.missing_posts
    yield (
        f"{_count(rows.posts, 'post')}, {_count(rows.samples, 'sample')} of counters and "
        f"{rows.subscriber_samples} of subscribers are {'processed' if missing else 'in history'}"
    )
    if missing:
        yield (
            f"history lacks {missing} of these posts: it was removed or damaged after it had "
            "stored them; see Troubleshooting in docs/OPERATING.md"
        )
    if replayed.messages_total and replayed.already == replayed.messages_total:
        yield "nothing was written: all of it was in the log already"
    elif replayed.already:
        yield (
            f"{replayed.already} of {_count(replayed.messages_total, 'message')} "
            f"{_were(replayed.already)} in the log already, of a replay before"
        )
    if arrived.dead:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(arrived.dead.items()))
        yield f"{_count(sum(arrived.dead.values()), 'dead letter')} came of it: {reasons}"
    if arrived.late_messages or arrived.late_samples:
        yield (
            f"late: {_count(arrived.late_messages, 'message')} and "
            f"{_count(arrived.late_samples, 'sample')} of counters are older than what had been "
            "observed of their channels before: no live window counts them, and history has "
            "computed its windows again"
        )


def _of_file(tally: FileTally) -> Iterator[str]:
    told = [f"{_count(tally.rows, 'row')} read", f"{tally.taken} taken"]
    if tally.in_part:
        told.append(f"{tally.in_part} of them without a value")
    if tally.refused:
        told.append(f"{tally.refused} refused")
    if tally.merged:
        told.append(f"{tally.merged} merged with others of the same instant")
    yield f"{tally.file}: {', '.join(told)}"
    for kind, kept in tally.kinds.items():
        yield from _of_kind(kind, kept)
    if tally.of_unknown_posts:
        alone = tally.of_unknown_posts == 1
        samples = (
            "1 sample is of a post" if alone else f"{tally.of_unknown_posts} samples are of posts"
        )
        yield f"  {samples} that no row of posts.jsonl tells: the views count, the age is not known"


def _of_kind(kind: Kind, kept: Kept) -> Iterator[str]:
    what = f"{_count(kept.count, 'row' if kind.whole else 'value')} "
    what += "refused" if kind.whole else "left out"
    yield f"  {what}: {' '.join(filter(None, (kind.field, kind.why)))}"
    for problem in kept.examples[:_SHOWN]:
        yield f"    {problem}"
    if kept.count > _SHOWN:
        yield f"    and {kept.count - _SHOWN} more"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
