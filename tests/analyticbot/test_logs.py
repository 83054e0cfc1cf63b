"""Every line is an event with fields, in both forms."""

import ast
import importlib.util
import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from analyticbot.logs import OURS, Form, set_up_logs
from analyticbot.redacting import Redactor
from streams.log import LogFull
from streams.tracing import Traces
from tests.packages import PACKAGES

ROOT = Path(__file__).parents[2]
METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    kept, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OURS)}
    yield
    root.handlers[:] = kept
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _logged(form: Form, **about: str) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    set_up_logs("info", form, stream=stream, **about)  # type: ignore[arg-type]
    return logging.getLogger("agents.example"), stream


def test_a_library_s_values_are_not_logged_at_any_level() -> None:
    stream = io.StringIO()
    set_up_logs("debug", stream=stream)
    for name in ("aiosqlite", "asyncpg", "sqlalchemy.engine", "telethon.network", "httpx", "new"):
        for level in (logging.DEBUG, logging.INFO):
            logging.getLogger(name).log(level, "INSERT INTO accounts VALUES ('session')")
    assert stream.getvalue() == ""
    logging.getLogger("control.example").debug("tried")
    assert "control.example tried" in stream.getvalue()


TOKEN = "1000000001:" + "A" * 35
SESSION = "1" + "Ab-_" * 87 + "="


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            f"https://api.telegram.org/bot{TOKEN}/getMe",
            "https://api.telegram.org/bot[redacted]/getMe",
        ),
        (f"session {SESSION} end", "session [redacted] end"),
        ("postgresql://me:pass,word@host/db", "postgresql://me:pass,word@host/db"),
        ("postgresql://me:password@host/db", "postgresql://[redacted]@host/db"),
        ("of +998901234567, twice", "of [redacted], twice"),
        ("the key is my-api-key", "the key is [redacted]"),
        ("http://127.0.0.1:8000 of @durov at +05:00", "http://127.0.0.1:8000 of @durov at +05:00"),
        ("-1001234567890 1750000000000", "-1001234567890 1750000000000"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(form: Form, said: str, left: str) -> None:
    stream = io.StringIO()
    set_up_logs("info", form, stream=stream, redact=Redactor(["my-api-key"]))
    error = ValueError(said)
    logging.getLogger("agents.example").error("failed", extra={"reason": said}, exc_info=error)
    assert stream.getvalue().count(left) == 2
    assert form == "text" or json.loads(stream.getvalue())["fields"] == {"reason": left}


def test_text_is_the_event_and_its_fields() -> None:
    logger, stream = _logged("text")
    logger.warning("log_away", extra={"reason": "no broker", "pause_s": 4})
    line = stream.getvalue()
    assert re.fullmatch(
        r'\d\d:\d\d:\d\d WARNING agents\.example log_away reason="no broker" pause_s=4\n', line
    )


def test_a_library_says_the_same_once_in_a_while() -> None:
    ours, stream = _logged("text")
    library = logging.getLogger("aiokafka.producer.sender")
    for number in range(3):
        library.error("Unable to connect to node %s", number)
        library.error("Cannot send")
        ours.info("window_closed")
    said = [line.split()[3] for line in stream.getvalue().splitlines()]
    assert sorted(said) == ["Cannot", "Unable", *["window_closed"] * 3]


def test_json_is_one_object_a_line() -> None:
    logger, stream = _logged("json", role="work", instance="work-1")
    logger.warning("log_away", extra={"reason": 'no\n"broker"', "at": Path("/x")})
    logger.info("log_back")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
    assert first == {
        "level": "warning",
        "logger": "agents.example",
        "event": "log_away",
        "fields": {"reason": 'no\n"broker"', "at": "/x"},
        "role": "work",
        "instance": "work-1",
    }
    assert (second["event"], second["fields"]) == ("log_back", {})


def test_json_leaves_out_what_is_not_known() -> None:
    logger, stream = _logged("json", role="up")
    logger.info("started")
    line = json.loads(stream.getvalue())
    assert line["role"] == "up"
    assert not {"instance", "trace_id", "exception"} & line.keys()


def test_json_keeps_an_exception_in_its_line() -> None:
    logger, stream = _logged("json")
    try:
        int("wrong")
    except ValueError:
        logger.exception("request_failed")
    line = json.loads(stream.getvalue())
    assert line["exception"].endswith("with base 10: 'wrong'")


@pytest.mark.parametrize(("error", "places"), [(LogFull("no room"), 0), (KeyError("row"), 1)])
def test_where_in_the_program_a_log_failed_is_not_told(error: Exception, places: int) -> None:
    logger, stream = _logged("text")
    try:
        raise error
    except (LogFull, KeyError):
        logger.exception("crashed", extra={"reason": str(error)})
    said = stream.getvalue()
    assert "crashed reason=" in said
    assert said.count("Traceback") == places


def test_json_names_the_trace_that_is_worked_on() -> None:
    logger, stream = _logged("json")
    traces = Traces(TracerProvider(shutdown_on_exit=False))
    span = traces.begin("telegram.receive")
    assert span is not None
    with span:
        logger.info("within")
    logger.info("after")
    within, after = map(json.loads, stream.getvalue().splitlines())
    assert within["trace_id"] == span.trace_id
    assert "trace_id" not in after


def _calls() -> Iterator[tuple[Path, ast.Call]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    of = ast.unparse(node.func.value).lstrip("_")
                    if of == "logger" and node.func.attr in METHODS:
                        yield path, node


def test_every_call_logs_an_event_and_fields() -> None:
    calls = list(_calls())
    assert len(calls) > 30
    for path, call in calls:
        said = f"{path.relative_to(ROOT)}:{call.lineno}"
        assert len(call.args) == 1, said
        event = call.args[0]
        assert isinstance(event, ast.Constant), said
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", str(event.value)), said
        assert {word.arg for word in call.keywords} <= {"extra", "exc_info"}, said


@pytest.mark.parametrize("form", ["text", "json"])
def test_services_of_ours_are_heard_and_those_of_libraries_from_a_warning_on(form: Form) -> None:
    """Faust's say what they do under the name of a class of ours."""
    logger, stream = _logged(form)
    for module, level in (("mode.services", logging.INFO), ("faust.app.base", logging.INFO)):
        logger.handle(_record_of(module, level, "chatter"))
    assert stream.getvalue() == ""
    logger.handle(_record_of("faust.app.base", logging.WARNING, "theirs"))
    logger.handle(_record_of("streams.faust.kafka.consumer", logging.INFO, "ours"))
    assert ["theirs" in line for line in stream.getvalue().splitlines()] == [True, False]
    assert "ours" in stream.getvalue()


def _record_of(module: str, level: int, message: str) -> logging.LogRecord:
    found = importlib.util.find_spec(module)
    assert found is not None
    return logging.makeLogRecord(
        {
            "name": "streams.faust.kafka.consumer",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "pathname": found.origin,
            "msg": message,
        }
    )
