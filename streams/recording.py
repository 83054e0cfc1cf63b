"""A recording folder as a stream of rows: channels, posts, samples of views and of subscribers.

Not for writing recordings, and not for what they mean as events (streams.sources.replay).

    FOLDER/channels.jsonl  posts.jsonl  view_samples.jsonl  subscriber_samples.jsonl

Each is optional and may be compressed (``.zst``). Unknown keys are ignored. A line that cannot be
taken is logged, kept in `problems` with its file and number, and skipped.

    RecordingError    the folder as a whole cannot be taken (one line that says why)
"""

import hashlib
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec
import zstandard

from streams.events import Post
from streams.ids import ChannelId, InvalidChannel, PostId
from streams.recording_channels import IdCollision, RecordedChannels
from streams.recording_rows import (
    ChannelRow,
    PostRow,
    Row,
    SubscriberRow,
    ViewRow,
    instant_ms,
    optional_ms,
)

logger = logging.getLogger(__name__)

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


class Problem(msgspec.Struct, frozen=True):
    """A line that was skipped."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class Recording:
    """Rows of one folder. Each method reads its file from the start; nothing is kept but ids.

    Raises RecordingError where the folder holds no recording or two channels would share an id.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = {name: path for name in FILES if (path := _file(folder, name))}
        if not self._files:
            raise RecordingError(f"{folder} holds no recording: none of {', '.join(FILES)}")
        self._problems: dict[tuple[str, int], Problem] = {}
        self._channels = RecordedChannels()
        self._learn_channels()

    @property
    def problems(self) -> list[Problem]:
        """What was skipped so far, in the order met; each line once however often it is read."""
        return list(self._problems.values())

    def identity(self) -> str:
        """The same for the same files, wherever the folder is. Reads them once."""
        whole = hashlib.sha256()
        for path in self._files.values():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{path.name} {path.stat().st_size} {content}\n".encode())
        return whole.hexdigest()[:32]

    def channels(self) -> list[RecordedChannel]:
        """Every channel that any file names, by id."""
        names = self._channels
        found = {i: RecordedChannel(i, names.username(i)) for i in names.ids}
        for row, channel_id in self._rows(CHANNELS, ChannelRow):
            known = row.subscribers is not None and row.subscribers_at is not None
            found[channel_id] = RecordedChannel(
                channel_id,
                names.username(channel_id),
                row.title,
                row.subscribers if known else None,
                optional_ms(row.subscribers_at) if known else None,
            )
        return [found[channel_id] for channel_id in sorted(found)]

    def posts(self) -> Iterator[RecordedPost]:
        for row, channel_id in self._rows(POSTS, PostRow):
            yield RecordedPost(channel_id, row.post(), optional_ms(row.sampled_at))

    def view_samples(self) -> Iterator[ViewSample]:
        for row, channel_id in self._rows(VIEW_SAMPLES, ViewRow):
            at_ms = instant_ms(row.sampled_at)
            yield ViewSample(channel_id, PostId(row.message_id), at_ms, row.views)

    def subscriber_samples(self) -> Iterator[SubscriberSample]:
        for row, channel_id in self._rows(SUBSCRIBER_SAMPLES, SubscriberRow):
            yield SubscriberSample(channel_id, instant_ms(row.sampled_at), row.subscribers)

    def _rows(self, name: str, shape: type[R]) -> Iterator[tuple[R, ChannelId]]:
        decoder = msgspec.json.Decoder(shape)
        for file, number, line in self._lines(name):
            try:
                row = decoder.decode(line)
                channel_id = self._channels.channel_of(row)
            except (msgspec.DecodeError, ValueError) as error:
                self._skip(file, number, str(error))
                continue
            yield row, channel_id

    def _lines(self, name: str) -> Iterator[tuple[str, int, bytes]]:
        """File name, number from 1 and bytes of every line that is not blank."""
        if (path := self._files.get(name)) is None:
            return
        number = 0
        try:
            with _opened(path) as stream:
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield path.name, number, line
        except zstandard.ZstdError as error:
            self._skip(path.name, number + 1, f"damaged from here on: {error}")

    def _skip(self, file: str, line: int, reason: str) -> None:
        if (file, line) in self._problems:
            return
        self._problems[file, line] = Problem(file, line, reason)
        logger.warning("line_skipped", extra={"file": file, "line": line, "reason": reason})

    def _learn_channels(self) -> None:
        decoder = msgspec.json.Decoder(Row)
        for name in self._files:
            for file, number, line in self._lines(name):
                try:
                    self._channels.learn(decoder.decode(line))
                except InvalidChannel as error:
                    self._skip(file, number, str(error))
                except (msgspec.DecodeError, ValueError):
                    continue  # told with its full reason when the rows are read
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


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        if path.suffix != ".zst":
            yield file
            return
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        yield io.BufferedReader(reader, 1 << 18)
