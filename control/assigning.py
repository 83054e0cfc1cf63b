"""Assigns channels to accounts and accounts to collectors. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", str, int)
T = TypeVar("T", str, int)


def assigned(
    things: Sequence[T], owners: Collection[K], held: Mapping[T, K] | None = None
) -> dict[T, K]:
    """Each thing's owner. The owners' numbers of things differ by one at most.

    A thing that an owner holds stays with it, unless it holds too many. Every process computes the
    same from the same arguments. Empty without owners.
    """
    kept = _kept(things, owners, held or {})
    most = _quotas(len(things), kept)
    for owner, has in kept.items():
        del has[most[owner] :]
    given = {thing: owner for owner, has in kept.items() for thing in has}
    room = [owner for owner, has in kept.items() for _ in range(most[owner] - len(has))]
    free = [thing for thing in things if thing not in given]
    return given | dict(zip(free, room, strict=bool(kept)))


def _kept(things: Sequence[T], owners: Collection[K], held: Mapping[T, K]) -> dict[K, list[T]]:
    """The things that each owner holds, in the order of `things`; the largest holder first."""
    kept: dict[K, list[T]] = {owner: [] for owner in sorted(owners)}
    for thing in things:
        if (owner := held.get(thing)) in kept:
            kept[owner].append(thing)
    return dict(sorted(kept.items(), key=lambda item: -len(item[1])))


def _quotas(things: int, kept: Mapping[K, list[T]]) -> dict[K, int]:
    """The largest holders get one more, so that the fewest things move."""
    if not kept:
        return {}
    each, more = divmod(things, len(kept))
    return {owner: each + (place < more) for place, owner in enumerate(kept)}
