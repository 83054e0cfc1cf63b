"""A recording folder as a stream of rows: channels, posts, samples of views and of subscribers.

Not for writing recordings, and not for what they mean as events (streams.sources.replay).

    FOLDER/channels.jsonl  posts.jsonl  view_samples.jsonl  subscriber_samples.jsonl

Each is optional and may be compressed (``.zst``). Unknown keys are ignored. What cannot be taken is
counted and told with file and line (`tallies`), and the rest is taken. docs/RECORDINGS.md describes
every field.

    RecordingError    the folder as a whole cannot be taken (one line that says why)
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar

import msgspec

from streams.events import Post
from streams.ids import ChannelId, InvalidChannel, PostId
from streams.limits import LAST_MS
from streams.recording_channels import IdCollision, RecordedChannels
from streams.recording_files import Damaged, lines_of
from streams.recording_lines import Refused, RowReader
from streams.recording_problems import FileTally, Problem
from streams.recording_rows import (
    ChannelRow,
    Fault,
    PostRow,
    Row,
    SubscriberRow,
    ViewRow,
    dated_after,
    instant_ms,
    optional_ms,
)
from streams.spellings import clean

_logger = logging.getLogger(__name__)

CHANNELS = "channels.jsonl"
POSTS = "posts.jsonl"
VIEW_SAMPLES = "view_samples.jsonl"
SUBSCRIBER_SAMPLES = "subscriber_samples.jsonl"
FILES = (CHANNELS, POSTS, VIEW_SAMPLES, SUBSCRIBER_SAMPLES)

R = TypeVar("R", bound=Row)


class RecordingError(ValueError): ...


class RecordedChannel(msgspec.Struct, frozen=True):
    """A channel of the recording, whether or not channels.jsonl describes it."""

    channel_id: ChannelId
    #: As the recording spells it.
    username: str | None = None
    title: str | None = None
    #: Read at `subscribers_at_ms`; both are None where either is not known.
    subscribers: int | None = None
    subscribers_at_ms: int | None = None


class RecordedPost(msgspec.Struct, frozen=True):
    channel_id: ChannelId
    post: Post
    #: When the post's counters were read. None: not known, then it has none.
    sampled_at_ms: int | None


class ViewSample(msgspec.Struct, frozen=True):
    channel_id: ChannelId
    post_id: PostId
    sampled_at_ms: int
    views: int


class SubscriberSample(msgspec.Struct, frozen=True):
    channel_id: ChannelId
    sampled_at_ms: int
    subscribers: int


class Recording:
    """Rows of one folder. Each method reads its file from the start; nothing is kept but ids."""

    def __init__(self, folder: Path, zone: tzinfo | None = None, now_ms: int = LAST_MS) -> None:
        """Times without a zone are in `zone`, or refused; what is observed after now is refused.

        Raises RecordingError where the folder holds no recording or two channels would share an id.
        """
        self.folder = folder
        self._zone = zone
        self._now_ms = now_ms
        self._files = {name: path for name in FILES if (path := _file(folder, name))}
        if not self._files:
            raise RecordingError(f"{folder} holds no recording: none of {', '.join(FILES)}")
        self._tallies: dict[str, FileTally] = {}
        self._channels = RecordedChannels()
        self._learn_channels()

    @property
    def tallies(self) -> Sequence[FileTally]:
        """What was read, taken and refused of each file that was read to its end, the last time."""
        return [self._tallies[name] for name in self._files if name in self._tallies]

    @property
    def problems(self) -> list[Problem]:
        """What was not taken: a few examples of each kind of problem, file by file."""
        return [problem for tally in self.tallies for problem in tally.problems()]

    def moved_names(self) -> Mapping[str, Sequence[ChannelId]]:
        """The usernames that the recording gives to several channels."""
        return self._channels.moved()

    def channels(self) -> list[RecordedChannel]:
        """Every channel that any file names, by id, as it was described last."""
        names = self._channels
        found = {i: RecordedChannel(i, names.username(i)) for i in names.ids}
        for one in self.descriptions():
            before = found[one.channel_id].subscribers_at_ms
            if before is None or (one.subscribers_at_ms or 0) >= before:
                found[one.channel_id] = one
        return [found[channel_id] for channel_id in sorted(found)]

    def descriptions(self) -> Iterator[RecordedChannel]:
        """The rows of channels.jsonl; a channel may have several, of different times."""
        for _, row, channel_id in self._rows(CHANNELS, ChannelRow):
            counted = row.subscribers is not None and row.subscribers_at is not None
            yield RecordedChannel(
                channel_id,
                self._channels.name_of(row) or self._channels.username(channel_id),
                None if row.title is None else clean(row.title),
                row.subscribers if counted else None,
                optional_ms(row.subscribers_at) if counted else None,
            )

    def posts(self) -> Iterator[RecordedPost]:
        for _, row, channel_id in self._rows(POSTS, PostRow):
            yield RecordedPost(channel_id, row.post(), optional_ms(row.sampled_at))

    def view_samples(
        self, published_ms: Mapping[tuple[ChannelId, PostId], int] | None = None
    ) -> Iterator[ViewSample]:
        """With the dates of posts, without the samples that say to be older than their posts."""
        for number, row, channel_id in self._rows(VIEW_SAMPLES, ViewRow):
            at_ms, post_id = instant_ms(row.sampled_at), PostId(row.message_id)
            if published_ms is not None:
                date_ms = published_ms.get((channel_id, post_id))
                tally = self._tallies[VIEW_SAMPLES]
                if date_ms is None:
                    tally.of_unknown_posts += 1
                elif after := dated_after(date_ms, at_ms):
                    why = "is before the date of its post"
                    at = row.sampled_at.isoformat()
                    tally.refuse(number, Fault("sampled_at", at, why, f"its post is dated {after}"))
                    continue
            yield ViewSample(channel_id, post_id, at_ms, row.views)

    def subscriber_samples(self) -> Iterator[SubscriberSample]:
        for _, row, channel_id in self._rows(SUBSCRIBER_SAMPLES, SubscriberRow):
            yield SubscriberSample(channel_id, instant_ms(row.sampled_at), row.subscribers)

    def log_problems(self) -> None:
        """One line a file of which something was not taken."""
        for tally in self.tallies:
            if problems := tally.problems():
                counts = {"rows": tally.rows, "refused": tally.refused, "in_part": tally.in_part}
                told = {"file": tally.file, **counts, "first": str(problems[0])}
                _logger.warning("recording_not_all_taken", extra=told)

    def note_merged(self, name: str, rows: int) -> None:
        """Of the file so many rows say nothing that another row had not said."""
        if name in self._tallies:
            self._tallies[name].merged = rows

    def _rows(self, name: str, shape: type[R]) -> Iterator[tuple[int, R, ChannelId]]:
        """Line number, row and channel of what can be taken; what cannot is tallied."""
        if (path := self._files.get(name)) is None:
            return
        reader = RowReader(shape, self._zone, self._now_ms)
        tally = self._tallies[name] = FileTally(path.name)
        try:
            for number, line in lines_of(path):
                tally.rows += 1
                try:
                    row, faults = reader.read(line)
                    channel_id = self._channels.channel_of(row)
                except Refused as refused:
                    tally.refuse(number, refused.fault)
                except InvalidChannel as error:
                    tally.refuse(number, Fault("channel", "", "names none", f"{error}"))
                else:
                    tally.take_without(number, faults)
                    yield number, row, channel_id
        except Damaged as damaged:
            tally.rows += 1
            tally.refuse(damaged.line, Fault("", "", f"damaged from here on: {damaged}"))

    def _learn_channels(self) -> None:
        for path in self._files.values():
            reader = RowReader(Row, self._zone, self._now_ms)
            try:
                for _, line in lines_of(path):
                    # What cannot be taken is told when the rows are read.
                    with suppress(Refused, InvalidChannel):
                        self._channels.learn(reader.read(line)[0])
            except Damaged:
                continue
        try:
            self._channels.complete()
        except IdCollision as error:
            raise RecordingError(f"{self.folder}: {error}") from error


def _file(folder: Path, name: str) -> Path | None:
    """The file of that name, compressed or not. Raises RecordingError where there are both."""
    found = [path for path in (folder / name, folder / f"{name}.zst") if path.is_file()]
    if len(found) > 1:
        raise RecordingError(f"{folder} holds both {name} and {name}.zst: keep one of them")
    return found[0] if found else None
