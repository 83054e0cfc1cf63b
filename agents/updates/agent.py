"""The declaration of the decision `updates`, listed in agents.pipeline."""

from typing import get_args

from agents.engine.decision import Decision
from agents.engine.ports import Table
from agents.updates.buckets import Bucket, Shelf
from agents.updates.channel import Channel
from agents.updates.fold import STEPS
from agents.updates.handler import UpdatesHandler
from streams import topics
from streams.events import Event

UPDATES = Decision(
    name="updates",
    reads=(topics.UPDATES,),
    kinds=get_args(Event),
    steps=STEPS,
    tables=(Table("channels", Channel), Table("posts", Bucket), Table("shelves", Shelf)),
    sends=(topics.WINDOWS,),
    handler=UpdatesHandler,
)
