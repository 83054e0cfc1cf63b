"""A control store copied into another one."""

from pathlib import Path

import pytest

from control.copying import copy
from control.sql import open_control
from control.store import ControlError, Followed
from tests.control.copying import content, fill
from tests.control.keys import KEY


def url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}"


async def test_all_that_was_set_is_copied_and_what_is_held_is_not(tmp_path: Path) -> None:
    old, new = url(tmp_path, "old.db"), url(tmp_path, "new.db")
    await fill(old)
    counts = await copy(old, new, KEY)
    assert counts == {
        "followed": 2,
        "cursors": 2,
        "known_posts": 1,
        "subscriptions": 1,
        "settings": 1,
        "deliveries": 1,
        "accounts": 1,
        "access_hashes": 1,
        "flood_waits": 1,
    }
    expected = {**await content(old), "leases": [], "shares": []}
    assert await content(new) == expected


async def test_copying_again_changes_nothing(tmp_path: Path) -> None:
    old, new = url(tmp_path, "old.db"), url(tmp_path, "new.db")
    await fill(old)
    await copy(old, new, KEY)
    store = open_control(new)
    assert await store.unfollow("@first")
    await store.follow("@third", 3)
    await store.close()
    before = await content(new)
    await copy(old, new, KEY)
    after = await content(new)
    copied = [one for one in after["followed"] if isinstance(one, Followed)]
    assert {one.reference for one in copied} == {"first", "third", "1002"}
    assert {**after, "followed": before["followed"]} == before


async def test_a_path_that_was_mistyped_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="no such file"):
        await copy(url(tmp_path, "odl.db"), url(tmp_path, "new.db"), KEY)
    assert not (tmp_path / "odl.db").exists()
