"""One line of a recording into a row: as it should be written, or as people's scripts write it.

A value that cannot be taken costs itself only; one without which the row says nothing costs the
row. Not for what the rows mean together (streams.recording).
"""

import functools
import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

import msgspec

from streams import spellings
from streams.recording_rows import Fault, Row
from streams.spellings import Misspelt, is_no_name, is_no_text, is_unknown

R = TypeVar("R", bound=Row)

#: Of a value so much is shown.
_SHOWN = 60
_BOM = b"\xef\xbb\xbf"


class Refused(ValueError):
    """Nothing of the line can be taken."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class _Spelling(NamedTuple):
    read: Callable[[Any], Any]
    is_unknown: Callable[[object], bool] = is_unknown


class RowReader(Generic[R]):
    """Reads the lines of one file."""

    def __init__(self, shape: type[R], zone: tzinfo | None, now_ms: int) -> None:
        """Times without a zone are in `zone`, or refused; nothing can be observed after now."""
        self._shape = shape
        self._now_ms = now_ms
        self._decoder = msgspec.json.Decoder(shape)
        self._fields = {field.name: field for field in msgspec.structs.fields(shape)}
        self._spellings = _spellings(zone)

    def read(self, line: bytes | None) -> tuple[R, list[Fault]]:
        """The row, and the faults of values that are not in it. None: a line that is too long.

        Raises Refused.
        """
        if line is None:
            raise Refused(Fault("", "", "is longer than 1 MiB", "write one JSON object a line"))
        try:
            row, faults = self._decoder.decode(line), list[Fault]()
        except (ValueError, RecursionError):
            # The error names the type that we want, not what the person has to write.
            row, faults = self._read_oddly(_object(line))
        for fault in row.faults(self._now_ms):
            if fault.whole:
                raise Refused(fault)
            # Whoever hears that a value is refused need not hear that it is missing.
            if all(fault.field != told.field for told in faults):
                faults.append(fault)
                setattr(row, fault.field, None)
        return row, faults

    def _read_oddly(self, found: Mapping[str, Any]) -> tuple[R, list[Fault]]:
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, field in self._fields.items():
            if name not in found:
                continue
            value, spelling = found[name], self._spellings[name]
            if spelling.is_unknown(value):
                continue
            try:
                values[name] = spelling.read(value)
            except Misspelt as error:
                costs_all = field.required or name == "channel_id"
                fault = Fault(name, _shown(value), error.why, error.advice, costs_all)
                if costs_all:
                    raise Refused(fault) from error
                faults.append(fault)
        if "channel" not in values and (other := values.get("channel_id", values.get("username"))):
            values["channel"] = other
        for name, field in self._fields.items():
            if field.required and name not in values:
                raise Refused(Fault(name, "", "is missing"))
        return self._shape(**values), faults


def _spellings(zone: tzinfo | None) -> Mapping[str, _Spelling]:
    """By field: each means the same in whichever file it stands."""
    count = _Spelling(spellings.count)
    instant = _Spelling(functools.partial(spellings.instant, zone=zone))
    channel = _Spelling(spellings.channel, is_no_name)
    text = _Spelling(spellings.text, is_no_text)
    word = _Spelling(spellings.word, is_no_name)
    return {
        **dict.fromkeys(("channel", "channel_id", "fwd_from_channel"), channel),
        **dict.fromkeys(("views", "forwards", "replies", "subscribers"), count),
        **dict.fromkeys(("date", "edit_date", "sampled_at", "subscribers_at"), instant),
        **dict.fromkeys(("text", "title"), text),
        **dict.fromkeys(("username", "media"), word),
        "message_id": _Spelling(spellings.post_id),
        "album_id": _Spelling(spellings.album_id),
        "reactions": _Spelling(spellings.reactions),
    }


def _object(line: bytes) -> Mapping[str, Any]:
    """With what JSON itself forbids and scripts write: NaN, half a surrogate pair, a mark of UTF-8
    at the start of the file. Raises Refused."""
    try:
        found = json.loads(line.removeprefix(_BOM).decode())
    except UnicodeDecodeError:
        _refuse(line, "is not UTF-8", "save the file as UTF-8")
    except (ValueError, RecursionError):
        _refuse(line, "is not JSON", "write one JSON object a line")
    if not isinstance(found, dict):
        _refuse(line, "is no JSON object", "write one JSON object a line")
    return found


def _refuse(line: bytes, why: str, advice: str) -> NoReturn:
    raise Refused(Fault("", _shown(line.strip().decode(errors="replace")), why, advice))


def _shown(value: object) -> str:
    """On one line, in printable characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = ascii(text) if not text.isprintable() else repr(text)
    if not isinstance(value, str):
        text = text[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
