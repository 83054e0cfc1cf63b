"""What the routes reach the rest of the program by."""

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
    reader: Reader
    live: Live
    log: Log
    clock: Clock
    metrics: Metrics
    settings: Settings
    followed: FollowedChannels
    #: Of the taps.
    intake: Intake
    #: Of the messages that this process knows.
    kinds: Kinds


#: How a route asks for them.
Wired: TypeAlias = NamedDependency[Ports]
