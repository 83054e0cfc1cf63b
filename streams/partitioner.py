"""Which partition a key belongs to: the same answer on every log, and the same as Kafka's clients.

A log can therefore be copied to another kind without one key changing its partition.
"""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """The number, below `partitions`, of the partition that holds `key`."""
    return (int(murmur2(key)) & 0x7FFF_FFFF) % partitions
