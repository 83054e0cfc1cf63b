"""What can be set of an embedded log."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from streams.log import LogError
from streams.space import NEEDED_BYTES

SCHEME = "embedded"


class Settings(msgspec.Struct, frozen=True):
    #: Wait for the disk before anything is acknowledged. Without it a power cut loses seconds.
    sync: bool = True
    #: What may be accepted and not yet durable; above it `append` waits.
    buffer_bytes: int = 32 << 20
    #: The newest records, kept decoded for readers that follow closely.
    tail_bytes: int = 24 << 20
    #: While the disk has less than this, nothing is written; what was accepted waits.
    free_bytes: int = NEEDED_BYTES
    #: How often retention and compaction look for work.
    upkeep_interval_ms: int = 30_000
    #: A partition is not compacted for less than this.
    dirty_bytes: int = 256 << 10
    #: A compacted topic's tombstones are kept so long for readers that are behind. (Changelogs
    #: are only read from their start, so theirs go at once.)
    tombstone_grace_ms: int = 86_400_000


def path_of(url: str) -> Path:
    """The folder that ``embedded:///folder`` names. Raises LogError."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME or parts.netloc or not parts.path.strip("/"):
        raise LogError(f"{url!r} is not an embedded log: use embedded:///absolute/folder")
    return Path(unquote(parts.path))


def settings_of(url: str) -> Settings:
    """The settings in the URL's query, for example ``?sync=false``. Raises LogError."""
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    known = {name: query[name] for name in Settings.__struct_fields__ if name in query}
    try:
        return msgspec.convert(known, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise LogError(f"{url!r}: {error}") from error
