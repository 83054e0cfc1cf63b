"""The rows of the database: their keys and values.

    v                           the version of the whole layout
    t NAME                      a topic
    p TOPIC PARTITION           a partition's bounds and sizes
    r TOPIC PARTITION LAST      a batch of records, by the offset of its last record
    o GROUP 0 NAME 0 PARTITION  the committed offset of a group

TOPIC and PARTITION are two bytes each, LAST is eight. The key of a batch ends with its last
offset, so one seek finds the batch of an offset, offsets may have gaps, and the next free offset
is known even if a batch is unreadable.

Every value is sealed: version, CRC-32 of key and value, value. The checksum includes the key, so
it detects a row that is stored under another's key.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec

from streams.log import LogDamaged, Partition, Record

#: The version of the rows that this code reads and writes.
VERSION = 1
LAYOUT_KEY = b"v"
TOPICS = (b"t", b"u")
PARTITIONS = (b"p", b"q")
COMMITS = (b"o", b"p")

#: The limits of a batch: reading one record decodes its whole batch.
_BATCH_RECORDS = 512
_BATCH_BYTES = 1 << 20
_SEAL = struct.Struct(">BI")
_BATCH_KEY = struct.Struct(">cHHQ")
_PARTITION_KEY = struct.Struct(">cHH")
_BATCH_HEAD = struct.Struct(">QI")
_LAST = struct.Struct(">Q")
_encode = msgspec.msgpack.Encoder().encode
_decode_records = msgspec.msgpack.Decoder(list[Record]).decode
S = TypeVar("S", bound=msgspec.Struct)


class RowBroken(LogDamaged):
    """The value differs from the one written under this key."""


class TopicRow(msgspec.Struct, array_like=True):
    id: int
    partitions: int
    retention_ms: int | None
    retention_bytes: int | None
    compacted: bool


class PartitionRow(msgspec.Struct, array_like=True):
    #: [first, next) are the present offsets.
    first: int = 0
    next: int = 0
    #: The size of all batches; the end of the last compaction; the size below it after that.
    size_bytes: int = 0
    clean_to: int = 0
    clean_bytes: int = 0


class BatchHead(NamedTuple):
    """The part of a batch that is readable without decoding its records."""

    #: When the batch was written, by the log's clock; retention counts from here.
    appended_at_ms: int
    records: int


def topic_key(name: str) -> bytes:
    return b"t" + name.encode()


def partition_key(topic_id: int, number: int) -> bytes:
    return _PARTITION_KEY.pack(b"p", topic_id, number)


def batch_key(topic_id: int, number: int, last_offset: int) -> bytes:
    return _BATCH_KEY.pack(b"r", topic_id, number, last_offset)


def batch_keys(topic_id: int, number: int, offset: int = 0) -> tuple[bytes, bytes]:
    """[lower, upper): the keys of a partition's batches that end at `offset` or above it."""
    prefix = _PARTITION_KEY.pack(b"r", topic_id, number)
    return prefix + _LAST.pack(offset), prefix + b"\xff" * 9


def last_offset(key: bytes) -> int:
    offset: int = _LAST.unpack_from(key, _PARTITION_KEY.size)[0]
    return offset


def commit_key(group: str, partition: Partition) -> bytes:
    return b"\0".join((b"o" + group.encode(), partition.topic.encode(), b"%d" % partition.number))


def read_commit_key(key: bytes) -> tuple[str, Partition]:
    group, topic, number = key[1:].split(b"\0")
    return group.decode(), Partition(topic.decode(), int(number))


def seal(key: bytes, value: bytes) -> bytes:
    return _SEAL.pack(VERSION, _crc(key, value)) + value


def unseal(key: bytes, row: bytes) -> memoryview:
    """The value of the sealed `row` under `key`. Raises RowBroken, LogDamaged (other version)."""
    if len(row) < _SEAL.size:
        raise RowBroken(f"row {key!r} is cut off after {len(row)} bytes")
    version, crc = _SEAL.unpack_from(row)
    if version != VERSION:
        raise LogDamaged(
            f"row {key!r} has version {version}, this program reads {VERSION}: "
            "the log was written by another version of it, or is damaged"
        )
    value = memoryview(row)[_SEAL.size :]
    if crc != _crc(key, value):
        raise RowBroken(f"row {key!r} is damaged: its checksum is wrong")
    return value


def seal_struct(key: bytes, struct_: msgspec.Struct) -> bytes:
    return seal(key, _encode(struct_))


def unseal_struct(key: bytes, row: bytes, kind: type[S]) -> S:
    return _decoded(key, unseal(key, row), kind)


def seal_offset(key: bytes, offset: int) -> bytes:
    return seal(key, _LAST.pack(offset))


def unseal_offset(key: bytes, row: bytes) -> int:
    value = unseal(key, row)
    if len(value) != _LAST.size:
        raise RowBroken(f"row {key!r} holds no offset")
    offset: int = _LAST.unpack(value)[0]
    return offset


def seal_batch(key: bytes, records: Sequence[Record], appended_at_ms: int) -> bytes:
    return seal(key, _BATCH_HEAD.pack(appended_at_ms, len(records)) + _encode(records))


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Splits `records` into batches within the limits."""
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.value or b"")
        if len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def batch_head(row: bytes) -> BatchHead:
    """Does not verify the checksum: only for decisions on a batch's age or removal.

    Raises RowBroken if the row is too short.
    """
    if len(row) < _SEAL.size + _BATCH_HEAD.size:
        raise RowBroken("a batch is cut off before its records")
    return BatchHead(*_BATCH_HEAD.unpack_from(row, _SEAL.size))


def unseal_batch(key: bytes, row: bytes) -> list[Record]:
    """The records of a batch, in order, never empty. Raises RowBroken, LogDamaged."""
    value = unseal(key, row)
    try:
        records = _decode_records(value[_BATCH_HEAD.size :])
    except msgspec.DecodeError as error:
        raise RowBroken(f"row {key!r} holds no records: {error}") from error
    if not records or records[-1].offset != last_offset(key):
        raise RowBroken(f"row {key!r} does not end with the offset of its key")
    return records if records[0].appended_ms else _appended(records, batch_head(row))


def _appended(records: Sequence[Record], head: BatchHead) -> list[Record]:
    """For records of a version that stored this time per batch only."""
    at_ms = head.appended_at_ms
    return [one if one.appended_ms else one._replace(appended_ms=at_ms) for one in records]


def _crc(key: bytes, value: bytes | memoryview) -> int:
    return crc32(value, crc32(key))


def _decoded(key: bytes, value: memoryview, kind: type[S]) -> S:
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except msgspec.DecodeError as error:
        raise RowBroken(f"row {key!r} is no {kind.__name__}: {error}") from error
