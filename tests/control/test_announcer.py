from pathlib import Path

import msgspec

from control.announcer import KINDS, Change, announce
from streams.embedded.log import EmbeddedLog
from streams.topics import CONTROL


async def test_a_change_is_in_the_log_under_its_kind(tmp_path: Path) -> None:
    log = await EmbeddedLog.open(tmp_path / "log")
    await log.create(CONTROL, 1)
    for at_ms in (1_000, 2_000):
        await announce(log, Change(kind="channels", at_ms=at_ms))
    (partition,) = await log.partitions(CONTROL.name)
    records = await log.read(partition, 0, 10)
    assert [record.key for record in records] == [b"channels", b"channels"]
    newest = msgspec.msgpack.decode(records[-1].value or b"", type=Change)
    assert newest == Change(kind="channels", at_ms=2_000)
    assert KINDS == ("channels",)
    await log.close()
