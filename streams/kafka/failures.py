"""Translates aiokafka's errors to those of a log: one line each, never a password."""

import ssl

from aiokafka import errors

from streams.kafka.settings import KafkaSettings
from streams.log import LogDamaged, LogError, LogUnavailable

#: Retrying does not help: an operator must grant a right.
_FORBIDDEN = (
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
)
_UNKNOWN_USER = (errors.SaslAuthenticationFailed, errors.AuthenticationFailedError)


def log_error(error: Exception, settings: KafkaSettings) -> LogError:
    """The LogError for an error of aiokafka."""
    servers = ",".join(settings.servers)
    if isinstance(error, LogError):
        return error
    if isinstance(error, _UNKNOWN_USER):
        return LogError(f"Kafka at {servers} refuses user {settings.user!r}: name or password?")
    if isinstance(error, errors.UnsupportedSaslMechanismError):
        return LogError(f"Kafka at {servers} has no mechanism={settings.mechanism}: {error}")
    if isinstance(error, _FORBIDDEN):
        return LogError(f"Kafka at {servers} does not allow user {settings.user!r} this: {error}")
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message
        return LogError(f"the certificate of Kafka at {servers} is not trusted (ca=…): {reason}")
    if isinstance(error, ssl.SSLError):
        return LogError(f"no TLS with Kafka at {servers} (security=…): {error.reason}")
    if isinstance(error, errors.CorruptRecordException):
        return LogDamaged(f"Kafka at {servers} gave damaged records: {error}")
    if is_passing(error):
        reason = str(error) or type(error).__name__
        if isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError):
            reason = f"it hung up (does it speak security={settings.security}?)"
        return LogUnavailable(f"Kafka at {servers} cannot be reached: {reason}")
    return LogError(f"Kafka at {servers}: {error}")


def is_passing(error: Exception) -> bool:
    """Whether a retry may succeed in a moment."""
    if type(error) is errors.KafkaError and isinstance(error.__cause__, Exception):
        # The client wraps the error that ended one of its tasks in an empty one.
        return is_passing(error.__cause__)
    if isinstance(error, errors.KafkaError):
        return bool(error.retriable) or isinstance(error, errors.KafkaTimeoutError)
    return isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
