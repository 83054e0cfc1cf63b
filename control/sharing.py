"""Who takes what: channels among accounts, accounts among collectors. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", str, int)
T = TypeVar("T", str, int)


def shared(
    things: Sequence[T], takers: Collection[K], held: Mapping[T, K] | None = None
) -> dict[T, K]:
    """Every thing to one taker, each about as many as the others: they differ by one at most.

    What a taker holds stays with it unless it holds too many. The same for everybody who asks with
    the same arguments. Empty without takers.
    """
    kept = _kept(things, takers, held or {})
    most = _quotas(len(things), kept)
    for taker, has in kept.items():
        del has[most[taker] :]
    given = {thing: taker for taker, has in kept.items() for thing in has}
    room = [taker for taker, has in kept.items() for _ in range(most[taker] - len(has))]
    free = [thing for thing in things if thing not in given]
    return given | dict(zip(free, room, strict=bool(kept)))


def _kept(things: Sequence[T], takers: Collection[K], held: Mapping[T, K]) -> dict[K, list[T]]:
    """What each holds, in the order of `things`; who holds most comes first."""
    kept: dict[K, list[T]] = {taker: [] for taker in sorted(takers)}
    for thing in things:
        if (taker := held.get(thing)) in kept:
            kept[taker].append(thing)
    return dict(sorted(kept.items(), key=lambda item: -len(item[1])))


def _quotas(things: int, kept: Mapping[K, list[T]]) -> dict[K, int]:
    """One more for those who hold most: so the fewest things move."""
    if not kept:
        return {}
    each, more = divmod(things, len(kept))
    return {taker: each + (place < more) for place, taker in enumerate(kept)}
