"""Opens the log that a URL names. The only place that knows all kinds of logs."""

from streams.clock import Clock
from streams.embedded.log import EmbeddedLog
from streams.embedded.settings import SCHEME as EMBEDDED
from streams.embedded.settings import path_of
from streams.embedded.settings import settings_of as embedded_settings_of
from streams.kafka.log import KafkaLog
from streams.kafka.settings import SCHEME as KAFKA
from streams.kafka.settings import settings_of as kafka_settings_of
from streams.log import Log, LogError


async def open_log(url: str, clock: Clock | None = None) -> Log:
    """Opens ``embedded:///folder`` or ``kafka://[user:password@]host:port[,host:port…]``.

    Settings may follow as a query. Raises LogError for a URL of no known kind, and what opening
    raises. `clock` is only for the embedded log: Kafka has its own.
    """
    scheme = url.partition(":")[0]
    if scheme == EMBEDDED:
        return await EmbeddedLog.open(path_of(url), embedded_settings_of(url), clock)
    if scheme == KAFKA:
        return await KafkaLog.open(kafka_settings_of(url))
    raise LogError(
        f"{url!r} is not a log: use {EMBEDDED}:///absolute/folder or {KAFKA}://host:port"
    )
