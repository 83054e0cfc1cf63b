"""The decision `peaks`, and the kind of message that it sends."""

from agents.engine.decision import Decision
from agents.engine.one_row import OneRow
from agents.engine.ports import Table
from agents.peaks.row import Highest
from agents.peaks.rule import Peak, put_peak
from streams import topics
from streams.analytics import ActivityWindow
from streams.kind import KeptWhole, Kind

PEAK = Kind[Peak](
    struct=Peak,
    topic=topics.SCORES,
    upsert_key=lambda peak: f"{peak.channel_id}/peak/{peak.start_ms}",
    event_type="analyticbot.peaks.peak",
    history=KeptWhole[Peak](version=lambda peak: peak.observed_at_ms),
    live="channel",
)

PEAKS = Decision(
    name="peaks",
    reads=(topics.WINDOWS,),
    kinds=(ActivityWindow,),
    steps=(put_peak,),
    tables=(Table("peaks", Highest),),
    sends=(topics.SCORES,),
    declares=(PEAK,),
    handler=OneRow,
)
