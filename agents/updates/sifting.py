"""Separate the valid posts and counters of a message from the invalid ones. Pure.

Called for partly invalid messages only, which agents.updates.check finds. A post with an invalid
counter or edit date is accepted without that value, which counts as unknown; a post with an invalid
id or date is refused. The refused values form one event per reason, a part of the message.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from agents.engine.reasons import DeadReason, Rejected
from streams.counters import NAMES
from streams.events import (
    CountersSampled,
    Event,
    Post,
    PostsDeleted,
    PostsEdited,
    PostsSeen,
)
from streams.ids import PostId
from streams.limits import FIRST_MS, HIGHEST_COUNTER, SKEW_MS

Sifted = tuple[Event, Sequence["Part"]]


class Fault(NamedTuple):
    reason: DeadReason
    detail: str


class Part(NamedTuple):
    """The part of a message that is refused for one reason."""

    reason: DeadReason
    #: The fault of the part's first post.
    detail: str
    #: The message, reduced to the refused values.
    event: Event
    #: Number of posts concerned.
    posts: int


#: Counters by position in the columns, then by column.
_Values = dict[int, dict[str, int | None]]


def sifted_posts(event: PostsSeen | PostsEdited) -> Sifted:
    """Raises Rejected if no post is valid."""
    kept: list[Post] = []
    refused: dict[DeadReason, list[Post]] = {}
    details: dict[DeadReason, str] = {}
    for post in event.posts:
        faults = list(_faults_of_post(post, event.observed_at_ms))
        if not faults:
            values, faults = _faults_of_values(post, event.observed_at_ms)
            kept.append(msgspec.structs.replace(post, **values))
        for reason, detail in faults:
            details.setdefault(reason, f"post {post.post_id}: {detail}")
            if post not in refused.setdefault(reason, [])[-1:]:
                refused[reason].append(post)
    if not kept:
        raise Rejected(*next(iter(details.items())))
    parts = [
        Part(reason, details[reason], msgspec.structs.replace(event, posts=posts), len(posts))
        for reason, posts in refused.items()
    ]
    return msgspec.structs.replace(event, posts=kept), parts


def sifted_deletions(event: PostsDeleted) -> Sifted:
    """Raises Rejected if no post id is valid."""
    kept = [post_id for post_id in event.post_ids if _is_id(post_id)]
    refused = [post_id for post_id in event.post_ids if not _is_id(post_id)]
    fault = Fault("out_of_range", f"{refused[0]} is no post id")
    if not kept:
        raise Rejected(*fault)
    part = Part(*fault, msgspec.structs.replace(event, post_ids=refused), len(refused))
    return msgspec.structs.replace(event, post_ids=kept), [part]


def sifted_sample(event: CountersSampled) -> Sifted:
    """Raises Rejected if no counter is valid."""
    columns, parts = _even_columns(event)
    kept: _Values = {}
    refused: dict[DeadReason, _Values] = {}
    details: dict[DeadReason, str] = {}
    for place, post_id in enumerate(event.post_ids):
        said = {n: value for n, column in columns.items() if (value := column[place]) is not None}
        faults = _faults_of_counters(post_id, said)
        for name, (reason, detail) in faults.items():
            refused.setdefault(reason, {}).setdefault(place, {})[name] = said.get(name)
            details.setdefault(reason, f"post {post_id}: {detail}")
        if len(said) > len(faults) or not (faults or parts):
            kept[place] = {name: value for name, value in said.items() if name not in faults}
    parts += [
        Part(reason, details[reason], _sample(event, values), len(values))
        for reason, values in refused.items()
    ]
    if not kept:
        raise Rejected(parts[0].reason, parts[0].detail)
    return _sample(event, kept), parts


def _even_columns(event: CountersSampled) -> tuple[dict[str, list[int | None]], list[Part]]:
    """The columns with one counter per post; the other columns as parts."""
    length = len(event.post_ids)
    columns: dict[str, list[int | None]] = {}
    parts = []
    for name in NAMES:
        column = getattr(event, name)
        if column is None:
            continue
        if len(column) == length:
            columns[name] = column
            continue
        alone = msgspec.structs.replace(event, **{**dict.fromkeys(NAMES), name: column})
        detail = f"{name}: {len(column)} counters of {length} posts"
        parts.append(Part("uneven_columns", detail, alone, length))
    return columns, parts


def _sample(event: CountersSampled, values: _Values) -> CountersSampled:
    """The sample, reduced to the posts and counters in `values`."""
    columns = {name: [said.get(name) for said in values.values()] for name in NAMES}
    return msgspec.structs.replace(
        event,
        post_ids=[event.post_ids[place] for place in values],
        **{n: None if set(column) == {None} else column for n, column in columns.items()},
    )


def _faults_of_counters(post_id: PostId, said: Mapping[str, int]) -> dict[str, Fault]:
    """Faults by column. An invalid id faults every counter, or views if there is no counter."""
    if not _is_id(post_id):
        return dict.fromkeys(said or ("views",), Fault("out_of_range", "no post id"))
    return {
        name: Fault(fault.reason, f"{name}: {fault.detail}")
        for name, value in said.items()
        if (fault := _of_counter(value))
    }


def _faults_of_post(post: Post, observed_at_ms: int) -> Iterator[Fault]:
    """Faults for which the post is refused."""
    if not _is_id(post.post_id):
        yield Fault("out_of_range", "no post id")
    elif fault := _of_date(post.date_ms, observed_at_ms):
        yield fault


def _faults_of_values(post: Post, observed_at_ms: int) -> tuple[dict[str, None], list[Fault]]:
    """Faults that cost only a value: the names of the values, now unknown, and the faults."""
    faults: dict[str, Fault] = {}
    if post.edit_date_ms is not None and (fault := _of_date(post.edit_date_ms, observed_at_ms)):
        faults["edit_date_ms"] = Fault(fault.reason, f"edit: {fault.detail}")
    for name in ("views", "forwards", "replies"):
        value = getattr(post, name)
        if value is not None and (fault := _of_counter(value)):
            faults[name] = Fault(fault.reason, f"{name}: {fault.detail}")
    for emoji, count in (post.reactions or {}).items():
        if fault := _of_counter(count):
            faults["reactions"] = Fault(fault.reason, f"reactions: {emoji}: {fault.detail}")
    return dict.fromkeys(faults), list(faults.values())


def _of_date(date_ms: int, observed_at_ms: int) -> Fault | None:
    if date_ms < FIRST_MS:
        return Fault("past_date", f"dated {date_ms} ms, before there was Telegram")
    if date_ms > observed_at_ms + SKEW_MS:
        after_s = (date_ms - observed_at_ms) // 1000
        return Fault("future_date", f"dated {after_s} s after it was observed")
    return None


def _of_counter(counter: int) -> Fault | None:
    if counter < 0:
        return Fault("negative_counter", f"a counter of {counter}")
    if counter > HIGHEST_COUNTER:
        return Fault("out_of_range", f"a counter of {counter}")
    return None


def _is_id(post_id: PostId) -> bool:
    return 0 < post_id <= HIGHEST_COUNTER
