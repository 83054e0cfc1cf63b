"""The queries that dashboards are made of."""

from typing import get_args

from agents.engine.reasons import DeadReason
from streams.metrics import Stage
from tools.grafana.panels import Query

#: The metrics, short.
RECEIVED, SENT = "analyticbot_received_total", "analyticbot_sent_total"
SAMPLES, DROPPED = "analyticbot_samples_total", "analyticbot_dropped_total"
ERRORS = "analyticbot_errors_total"
WAY, TOOK = "analyticbot_end_to_end_seconds", "analyticbot_stage_seconds"
COMMIT, RECOVERY = "analyticbot_commit_seconds", "analyticbot_recovery_seconds"
WATERMARK = "analyticbot_watermark_delay_seconds"
JOB = 'job="analyticbot"'
#: Whatever inputs and decisions there are: those of installed packages, too.
AGENTS = f'stage!~"{"|".join(get_args(Stage))}"'
#: Why a message becomes a dead letter.
DEAD = "|".join(get_args(DeadReason))
_EVERY = "[5m]"
#: Every worker tells the lag of all partitions: each is taken once.
_LAG = "max by (stage, topic, partition) (analyticbot_lag_messages{0})"


def per_second(metric: str, *by: str, where: str = "") -> Query:
    """How often, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    matched = f"{metric}{{{where}}}" if where else metric
    return Query(f"sum by ({', '.join(by)}) (rate({matched}[1m]))", legend)


def total(metric: str, *by: str, where: str = "") -> Query:
    """A gauge, added up by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    matched = f"{metric}{{{where}}}" if where else metric
    return Query(f"sum by ({', '.join(by)}) ({matched})", legend)


def lag(*by: str, where: str = "") -> Query:
    matched = _LAG.replace("{0}", f"{{{where}}}" if where else "")
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    return Query(f"sum by ({', '.join(by)}) ({matched})", legend)


def percentiles(metric: str, *by: str, where: str = "") -> list[Query]:
    """Half of all below the first, all but one of a hundred below the second."""
    return [_percentile(share, metric, by, where) for share in (0.5, 0.99)]


def _percentile(share: float, metric: str, by: tuple[str, ...], where: str) -> Query:
    bucket = f"{metric}_bucket{{{where}}}" if where else f"{metric}_bucket"
    labels = ", ".join(("le", *by))
    legend = " ".join((f"p{share * 100:g}", *(f"{{{{{label}}}}}" for label in by)))
    return Query(f"histogram_quantile({share}, sum by ({labels}) (rate({bucket}{_EVERY})))", legend)
