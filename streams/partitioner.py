"""The partition of a key: the same on every log, and the same as in Kafka's clients.

So a log can be copied to another kind of log without any key changing its partition.
"""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=1 << 16)
def partition_of(key: bytes, partitions: int) -> int:
    """The number, below `partitions`, of the partition that holds `key`."""
    return (int(murmur2(key)) & 0x7FFF_FFFF) % partitions
