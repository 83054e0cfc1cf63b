"""The settings of an embedded log."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from streams.log import LogError
from streams.space import NEEDED_BYTES

SCHEME = "embedded"


class Settings(msgspec.Struct, frozen=True):
    #: Wait for the disk before acknowledging. Without it, a power cut loses the last seconds.
    sync: bool = True
    #: The limit of accepted records that are not durable yet; above it `append` waits.
    buffer_bytes: int = 32 << 20
    #: The memory for the newest records, decoded for readers near the end.
    tail_bytes: int = 24 << 20
    #: While the disk has less free space, the log writes nothing; accepted records wait.
    free_bytes: int = NEEDED_BYTES
    #: How often retention and compaction look for work.
    upkeep_interval_ms: int = 30_000
    #: Compaction skips a partition with fewer bytes appended since its last pass.
    dirty_bytes: int = 256 << 10
    #: How long a compacted topic keeps tombstones, for readers that are behind. Changelogs keep
    #: none: recovery reads them from their start.
    tombstone_grace_ms: int = 86_400_000


def path_of(url: str) -> Path:
    """The folder in ``embedded:///folder``. Raises LogError for any other URL."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME or parts.netloc or not parts.path.strip("/"):
        raise LogError(f"{url!r} is not an embedded log: use embedded:///absolute/folder")
    return Path(unquote(parts.path))


def settings_of(url: str) -> Settings:
    """The settings in the URL's query, for example ``?sync=false``; ignores unknown names.

    Raises LogError for an invalid value.
    """
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    known = {name: query[name] for name in Settings.__struct_fields__ if name in query}
    try:
        return msgspec.convert(known, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise LogError(f"{url!r}: {error}") from error
