"""Reads messages of analytics.* for readers that must survive unreadable ones."""

import logging

from streams.analytics import Decision
from streams.codec import BroadcastFound, Undecodable, decode_analytics
from streams.known import Kinds
from streams.metrics import Metrics, Stage

#: The limit of distinct causes that are logged: kinds are text from messages.
_LOGGED = 100

_logger = logging.getLogger(__name__)


class Intake:
    """Skips and counts messages that a stage cannot read; logs them once per reason and kind.

    A newer version of the program wrote messages of unknown kinds, or a decision that this process
    does not have. Broadcasts of the engine are skipped and not counted.
    """

    def __init__(self, stage: Stage, metrics: Metrics, kinds: Kinds) -> None:
        self._stage = stage
        self._kinds = kinds
        self._metrics = metrics
        self._logged: set[str] = set()

    def read(self, data: bytes) -> Decision | None:
        try:
            return decode_analytics(data, self._kinds)
        except BroadcastFound:
            return None
        except Undecodable as error:
            self._metrics.dropped(self._stage, error.reason)
            self.log(error)
            return None

    def log(self, error: Undecodable) -> None:
        """Log why a message was skipped, once per cause."""
        if error.what not in self._logged and len(self._logged) < _LOGGED:
            self._logged.add(error.what)
            reason = {"stage": self._stage, "reason": error.reason, "detail": str(error)}
            _logger.warning("message_skipped", extra=reason)
