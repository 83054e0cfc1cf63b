"""What operators follow, beside what was observed: a name that leads nowhere has no history."""

from collections.abc import Sequence

from control.store import ControlStore, ControlUnavailable, Followed


class FollowedChannels:
    """Of the control store; without one, or while it is away, none are known."""

    def __init__(self, control: ControlStore | None = None) -> None:
        self._control = control

    async def all(self) -> Sequence[Followed]:
        if self._control is None:
            return ()
        try:
            return await self._control.followed()
        except ControlUnavailable:
            return ()
