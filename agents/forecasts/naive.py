"""The forecast that every other one has to beat: the posts before, by ratio."""

from statistics import median

import msgspec

from agents.models.model import Features, InvalidState

#: So many finished posts are looked back at; with fewer than LEAST there is no forecast.
KEPT, LEAST = 60, 5


class RatioState(msgspec.Struct, frozen=True, array_like=True):
    """The views of the last finished posts, oldest first, in pairs."""

    now: list[float] = []
    later: list[float] = []


class RatioOfMedians:
    """Implements Model: views now, times how much the median post grew from this age to `later`.

    Good at nothing in particular and never far off; bad at posts that began late or slowly, because
    small counts are taken at their word. 2 us and 1 kB. Unit: views.
    """

    def __init__(self, state: RatioState | None = None) -> None:
        """Raises InvalidState."""
        state = state or RatioState()
        if len(state.now) != len(state.later) or len(state.now) > KEPT:
            raise InvalidState(f"{len(state.now)} views now, {len(state.later)} later")
        self._now, self._later = [*state.now], [*state.later]

    def predict_one(self, x: Features) -> float | None:
        now = x.get("now")
        if now is None or len(self._now) < LEAST:
            return None
        return max(now, now * median(self._later) / max(1.0, median(self._now)))

    def learn_one(self, x: Features, y: float) -> None:
        now = x.get("now")
        if now is not None:
            self._now = [*self._now, now][-KEPT:]
            self._later = [*self._later, y][-KEPT:]

    def state(self) -> RatioState:
        return RatioState([*self._now], [*self._later])
