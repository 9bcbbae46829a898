"""Log lines: an event name and its fields, for people, for machines and for journald.

    log = get_logger(__name__)
    with bound(job=7, asset=1):
        log.info("delivery_stored", destination="pixel", size_bytes=n)

The event is a constant to search for; what varies is in the fields. Job, asset and
source are bound once and appear on every line below. Fields whose name speaks of a
secret are never written, nor are control characters, which could forge a line.
"""

import atexit
import contextvars
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Literal, TextIO, cast

from mediabox.log_writer import LogWriter

SECRET = re.compile(
    r"(?i)pass(word|phrase|code)|secret|token|cookie|credential|authorization|(^|_)key$|session|otp|2fa"
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# sd-daemon(3): a line that begins with <N> is stored by journald with that syslog priority.
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}

_bound: contextvars.ContextVar[Mapping[str, object]] = contextvars.ContextVar("bound", default=MappingProxyType({}))


class Log:
    """Writes events under one module's name. Levels: info, a state changed; warning, we coped; error, look here."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, error: BaseException | None = None, **fields: object) -> None:
        """Write an event somebody should look at, with the traceback of `error`."""
        self._write(logging.ERROR, event, fields, error)

    def _write(self, level: int, event: str, fields: Mapping[str, object], error: BaseException | None = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, exc_info=error, extra={"fields": {**_bound.get(), **fields}})


def get_logger(name: str) -> Log:
    """The log of a module: `get_logger(__name__)`."""
    return Log(name)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add `fields` to every line written inside, in this task and those it starts."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def set_up(*, level: str = "info", form: Literal["text", "json"] = "text") -> TextIO:
    """Send all logging to standard error: once, at the start. Under journald lines carry their priority.

    Returns the stream it goes to, for whatever else is shown there. It never waits for its reader: see `log_writer`.
    """
    formatter = _Formatter(form=form, to_journal=_is_journal())
    stream = _error_stream(formatter)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    return stream


def _error_stream(formatter: logging.Formatter) -> TextIO:
    try:
        writer = LogWriter(sys.stderr.fileno(), partial(_dropped_line, formatter))
    except (AttributeError, OSError, ValueError):  # closed, or replaced by something without a descriptor
        return sys.stderr
    atexit.register(writer.drain)
    return cast("TextIO", writer)


def drain() -> None:
    """Wait a moment for what was logged to be written, before something else is written to the same place."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, LogWriter):
            handler.stream.drain()


def _dropped_line(formatter: logging.Formatter, count: int) -> str:
    """What stands in the place of lines that nobody read in time."""
    fields = {"count": count, "reason": "nothing read them in time"}
    about = {"msg": "log_lines_dropped", "name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
    return formatter.format(logging.makeLogRecord({**about, "fields": fields})) + "\n"


class _Formatter(logging.Formatter):
    def __init__(self, *, form: Literal["text", "json"], to_journal: bool) -> None:
        super().__init__()
        self._form = form
        self._to_journal = to_journal

    def format(self, record: logging.LogRecord) -> str:
        given: dict[str, object] = getattr(record, "fields", {})
        fields = {name: "***" if SECRET.search(name) else value for name, value in given.items()}
        trace = self.formatException(record.exc_info) if record.exc_info and record.exc_info[1] else ""
        line = self._json(record, fields, trace) if self._form == "json" else self._text(record, fields, trace)
        if not self._to_journal:
            return line
        prefix = f"<{PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + each for each in line.split("\n"))  # journald reads line by line

    def _text(self, record: logging.LogRecord, fields: Mapping[str, object], trace: str) -> str:
        time = "" if self._to_journal else f"{self.formatTime(record, '%H:%M:%S')} "  # journald has its own
        words = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
        line = f"{time}{record.levelname.lower():7} {CONTROL.sub(' ', record.getMessage())}{words}"
        return f"{line}\n{trace}" if trace else line

    def _json(self, record: logging.LogRecord, fields: Mapping[str, object], trace: str) -> str:
        about = {"at_ms": int(record.created * 1000), "level": record.levelname.lower(), "logger": record.name}
        line = {**about, "event": record.getMessage(), **fields, **({"traceback": trace} if trace else {})}
        return json.dumps(line, default=str, ensure_ascii=True)


def _quoted(value: object) -> str:
    """`key=value` stays one word a field: text with spaces or signs is quoted as JSON does."""
    text = str(value)
    return text if re.fullmatch(r"[\w./:+-]+", text) else json.dumps(text, ensure_ascii=bool(CONTROL.search(text)))


def _is_journal() -> bool:
    """Whether standard error is the journal: systemd names its device and inode (systemd.exec(5))."""
    try:
        stat = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or replaced by something without a descriptor
        return False
    return os.environ.get("JOURNAL_STREAM", "") == f"{stat.st_dev}:{stat.st_ino}"
