"""The declaration of `spikes`, listed in agents.pipeline."""

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.spikes.row import Spikes
from agents.spikes.rule import SETTINGS, put_spikes
from streams import topics
from streams.analytics import ActivityWindow

SPIKES = Decision(
    name="spikes",
    reads=(topics.WINDOWS,),
    kinds=(ActivityWindow,),
    steps=(put_spikes,),
    tables=(Table("spikes", Spikes),),
    sends=(topics.ALERTS,),
    handler=OneRow,
    settings=SETTINGS,
)
