"""What the routes reach the rest of the program by."""

from typing import NamedTuple

from api.live_feed import Live
from api.settings import Settings
from clickhouse.reader import Reader
from streams.clock import Clock
from streams.log import Log
from streams.metrics import Metrics


class Ports(NamedTuple):
    reader: Reader
    live: Live
    log: Log
    clock: Clock
    metrics: Metrics
    settings: Settings
