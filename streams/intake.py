"""Reading the messages of analytics.* where one that cannot be read must not end the reader."""

import logging

from streams.analytics import Decision
from streams.codec import BroadcastFound, Undecodable, decode_analytics
from streams.known import Kinds
from streams.metrics import Metrics, Stage

#: So many different ones are logged: kinds are text of messages.
_LOGGED = 100

_logger = logging.getLogger(__name__)


class Intake:
    """What one stage cannot read is skipped and counted, and logged once a reason and kind.

    A message of an unknown kind was written by a newer version of the program, or by a decision
    that this process does not have. What the engine broadcasts for itself is skipped, and not
    counted.
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
        """Say why something was skipped, unless it was said before."""
        if error.what not in self._logged and len(self._logged) < _LOGGED:
            self._logged.add(error.what)
            reason = {"stage": self._stage, "reason": error.reason, "detail": str(error)}
            _logger.warning("message_skipped", extra=reason)
