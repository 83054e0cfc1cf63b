"""OpenTelemetry traces of single observations: off by default, and free when off.

A trace begins where an observation is received and travels in the header `traceparent` (W3C) of its
messages. Only a share of all observations is traced; messages of the others have no header, so
later components do nothing for them. Components accept `Traces | None`: with None tracing is off
and OpenTelemetry is never imported.

    telegram.receive ▶ log.publish ▶ updates.fold ▶ windows.send ▶ live.fold ▶ frame.send

Folds are named after their stage, and sends after the last word of their topic.
"""

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan

#: The header of a message of a traced observation.
TRACEPARENT = "traceparent"

#: The timeout of the collector of traces.
_TIMEOUT_S = 3


class TracingUnavailable(Exception):
    """OpenTelemetry is not installed. The message is one line that says what to do."""


class Span:
    """One step of one observation, until `end`. Within its context, log lines name its trace."""

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span
        self._token: Any = None
        context = span.get_span_context()
        self.trace_id = f"{context.trace_id:032x}"
        self.header = f"00-{self.trace_id}-{context.span_id:016x}-01".encode()

    @property
    def headers(self) -> dict[str, bytes]:
        """The headers of messages that result from this step."""
        return {TRACEPARENT: self.header}

    def end(self) -> None:
        self._span.end()

    def __enter__(self) -> Self:
        from opentelemetry import context, trace

        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        from opentelemetry import context

        if error is not None:
            self._span.record_exception(error)
        context.detach(self._token)
        self._span.end()


class Traces:
    """The traces of one process. Made by `open_traces`, or over a given provider."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation import tracecontext

        self._provider = provider
        self._tracer = provider.get_tracer("analyticbot")
        self._read = tracecontext.TraceContextTextMapPropagator().extract
        self._current = trace.get_current_span

    def begin(self, name: str, **attributes: str | int) -> Span | None:
        """The first step of an observation; None if the observation is not traced."""
        from opentelemetry.context import Context

        span = self._tracer.start_span(name, Context(), attributes=attributes)
        return Span(span) if span.get_span_context().trace_flags.sampled else None

    def follow(self, name: str, headers: Mapping[str, Any], **attributes: str | int) -> Span | None:
        """The step after the one in a message's headers; None without one."""
        header = headers.get(TRACEPARENT)
        if header is None:
            return None
        text = header.decode("ascii", "replace") if isinstance(header, bytes) else str(header)
        context = self._read({TRACEPARENT: text})
        span = self._tracer.start_span(name, context, attributes=attributes)
        return Span(span) if span.get_span_context().trace_flags.sampled else None

    def within(self, name: str, **attributes: str | int) -> Span | None:
        """A step within the current one; None outside of any."""
        if not self._current().get_span_context().trace_flags.sampled:
            return None
        return Span(self._tracer.start_span(name, attributes=attributes))

    def close(self) -> None:
        """Send unsent spans; blocks for a few seconds at most."""
        self._provider.shutdown()


def open_traces(url: str, share: float, about: Mapping[str, str]) -> Traces:
    """Send a share of all traces to an OTLP collector over HTTP. Raises TracingUnavailable.

    `url` is the whole address: http://host:4318/v1/traces. `about` says which process this is.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingUnavailable(
            "ANALYTICBOT_TRACES needs OpenTelemetry: pip install 'analyticbot[tracing]'"
        ) from error
    exporter = OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT_S)
    return Traces(provider_of(share, about, [BatchSpanProcessor(exporter)]))


def provider_of(share: float, about: Mapping[str, str], processors: Sequence[Any]) -> Any:
    """A provider that keeps a share of the traces that begin here, and all continued ones."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share)),
        resource=Resource.create({"service.name": "analyticbot", **about}),
        shutdown_on_exit=False,
    )
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def current_trace_id() -> str | None:
    """The id of the current trace, if any. Imports nothing."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None
