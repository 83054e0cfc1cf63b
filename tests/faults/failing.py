"""A worker with a step that cannot fold one kind of message, as a program with a mistake in it.

Run as tests.faults.victim is.
"""

from collections.abc import Iterable

import msgspec

from agents import app
from agents.updates.folding import Fold
from streams.analytics import Window
from streams.events import PostsSeen
from tests.faults import victim

#: The text of a post on which the step fails.
POISON = "what nobody thought of"


def fail_on_poison(fold: Fold) -> Iterable[Window]:
    event = fold.event
    if isinstance(event, PostsSeen) and any(post.text == POISON for post in event.posts):
        raise ZeroDivisionError("a mean of no posts")
    return ()


if __name__ == "__main__":
    updates, *others = app.PIPELINE
    failing = msgspec.structs.replace(updates, steps=(*updates.steps, fail_on_poison))
    app.PIPELINE = (failing, *others)
    victim.main()
