"""The ports through which routes use the rest of the program."""

from typing import NamedTuple, TypeAlias

from litestar.di import NamedDependency

from api.followed import FollowedChannels
from api.live_feed import Live
from api.settings import Settings
from clickhouse.reader import Reader
from streams.clock import Clock
from streams.intake import Intake
from streams.known import Kinds
from streams.log import Log
from streams.metrics import Metrics


class Ports(NamedTuple):
    """Made once per server, before it accepts connections, and injected into every route."""

    reader: Reader
    live: Live
    log: Log
    clock: Clock
    metrics: Metrics
    settings: Settings
    followed: FollowedChannels
    #: Decodes messages for the taps.
    intake: Intake
    #: Of the messages that this process knows.
    kinds: Kinds


#: The annotation by which a route gets them.
Wired: TypeAlias = NamedDependency[Ports]
