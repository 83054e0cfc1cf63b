"""The declarations: a kind of message, and the decision that sends it."""

from analyticbot.decisions import Decision, KeptWhole, Kind, OneRow, Table, Topic, analytics, topics
from analyticbot_records.row import Best
from analyticbot_records.rule import Record, put_record

TOPIC = Topic("analytics.records")

RECORD = Kind[Record](
    struct=Record,
    topic=TOPIC,
    upsert_key=lambda record: f"{record.channel_id}/record",
    event_type="analyticbot.records.record",
    history=KeptWhole[Record](version=lambda record: record.observed_at_ms),
    live="channel",
)

RECORDS = Decision(
    name="records",
    reads=(topics.WINDOWS,),
    kinds=(analytics.ActivityWindow,),
    steps=(put_record,),
    tables=(Table("records", Best),),
    sends=(TOPIC,),
    declares=(RECORD,),
    handler=OneRow,
)
