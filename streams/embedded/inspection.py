"""Read-only inspection of a log that no process has open, for `doctor`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from streams.embedded import rows
from streams.embedded.folder import LOCK, is_made, opened_database
from streams.embedded.partition import PartitionState
from streams.embedded.store import Store
from streams.file_lock import locked_text
from streams.log import Bounds, LogInUse, Offsets, Partition


class Inspected(msgspec.Struct, frozen=True):
    bounds: Mapping[Partition, Bounds]
    #: The committed offsets per group.
    commits: Mapping[str, Offsets]
    records: int
    #: Partitions with a torn last batch, which the next start cuts off.
    torn: Sequence[Partition]


def inspect(folder: Path) -> Inspected | None:
    """Reads every batch and verifies its checksum; None if there is no log.

    Blocks for a time proportional to the size of the log. Changes nothing. Raises LogInUse,
    LogDamaged, LogError.
    """
    if not is_made(folder):
        return None
    if (holder := locked_text(folder / LOCK)) is not None:
        raise LogInUse(f"log in {folder} is in use by process {holder.strip() or 'unknown'}")
    database = opened_database(folder, read_only=True)
    try:
        store = Store(database, mend=False)
        records = sum(
            _records(store, state) for topic in store.topics.values() for state in topic.partitions
        )
        bounds = {
            state.partition: state.bounds
            for topic in store.topics.values()
            for state in topic.partitions
        }
        return Inspected(bounds, store.commits, records, list(store.torn))
    finally:
        database.close()


def _records(store: Store, state: PartitionState) -> int:
    """The number of records, without those of a torn batch. Raises LogDamaged."""
    count = 0
    for key, row in store.database.scan(*rows.batch_keys(state.topic.id, state.number)):
        if store.torn.get(state.partition) == key:
            break
        with store.database.named():
            rows.unseal(key, row)
            count += rows.batch_head(row).records
    return count
