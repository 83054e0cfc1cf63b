"""Faust's view of the tables of a worker on Kafka: ``store="rows://"``. For looking at.

Bodies read and put rows at the context, because a row belongs to the transaction of a message.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, cast

from faust.stores.base import SerializedStore
from faust.types import TP

if TYPE_CHECKING:
    from streams.faust.kafka.transport import Transport

SCHEME = "rows"


class Store(SerializedStore[bytes, bytes]):
    """One a table; the rows of the tasks that this worker has."""

    def persisted_offset(self, tp: TP) -> int | None:
        """Faust restores nothing: the tables are up to date before it hears of a partition."""
        return None

    def reset_state(self) -> None:
        """Nothing: the state says itself what it is worth (state.py)."""

    async def backup_partition(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: the changelog is the backup."""

    def restore_backup(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing: the changelog is the backup."""

    def _get(self, key: bytes) -> bytes | None:
        transport = self._transport
        for task in transport.tasks.owned:
            row = transport.state.row(task, self.table_name, key)
            if row is not None:
                return row
        return None

    def _iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        transport = self._transport
        yield from transport.state.items(self.table_name, sorted(transport.tasks.owned))

    def _iterkeys(self) -> Iterator[bytes]:
        return (key for key, _ in self._iteritems())

    def _itervalues(self) -> Iterator[bytes | None]:
        return (row for _, row in self._iteritems())

    def _size(self) -> int:
        return sum(1 for _ in self._iteritems())

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None

    def _set(self, key: bytes, value: bytes | None) -> NoReturn:
        raise TypeError(
            f"rows of {self.table_name} are put through the context of a message"
        )

    def _del(self, key: bytes) -> NoReturn:
        self._set(key, None)

    def _clear(self) -> NoReturn:
        raise TypeError(
            f"rows of {self.table_name} are put through the context of a message"
        )

    @property
    def _transport(self) -> "Transport":
        return cast("Transport", cast(Any, self.app).transport)
