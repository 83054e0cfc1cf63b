"""The methods that Faust's recovery calls; their results make it find nothing to restore.

Tables are up to date before Faust gets a partition (streams.kafka.tasks), and offsets are committed
with the effects of their messages.
"""

from collections.abc import Mapping, MutableMapping
from typing import NoReturn

from faust.types import TP

from streams.faust.consumer import Consumer as DriverConsumer
from streams.log import LogError


class NothingToRestore(DriverConsumer):
    async def highwaters(self, *partitions: TP) -> MutableMapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def earliest_offsets(self, *partitions: TP) -> MutableMapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def _seek(self, partition: TP, offset: int) -> NoReturn:
        raise LogError("positions are set by seek_to_committed")

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Only called for changelogs, of which Faust has none here."""

    async def _commit(self, offsets: Mapping[TP, int]) -> NoReturn:
        raise LogError("offsets are committed with what was made of their messages")
