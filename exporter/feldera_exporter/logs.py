"""The log: one line per event, as logfmt or JSON, on standard error."""

import logging
import math
import os
import select
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO, cast

import structlog
from prometheus_client import Counter
from structlog.typing import EventDict, Processor

from feldera_exporter.units import format_duration

QUIET: Final = 60.0
"""Seconds for which a failure that comes and goes is not logged again."""

REMINDER: Final = 3600.0
"""Seconds after which a failure that lasts is logged again."""

LEVELS: Final = ("debug", "info", "warning", "error")

FORMATS: Final[Mapping[str, Processor]] = {
    "logfmt": structlog.processors.LogfmtRenderer(key_order=["ts", "level", "msg"], bool_as_flag=False),
    "json": structlog.processors.JSONRenderer(ensure_ascii=False),
}

Logger = Any
"""structlog's bound logger: `log.info("message", field=value)`."""


def one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Make an event one line: escape what names and messages contain, and replace a traceback by its location."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple) and error[1] is not None:
        event["error"], event["source"] = type(error[1]).__name__, source_location(error[1])
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def source_location(error: BaseException) -> str:
    """Return where an unexpected error was raised, as `file:line function`, without the values it was raised with."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"


DROPPED: Final = Counter(
    "feldera_exporter_log_lines_dropped",
    "Lines of the log that could not be written: its reader is gone or has stopped, or the disk is full.",
    registry=None,
)
"""The number of lines that were dropped, also partly."""


class LogStream:
    """The stream of the log: a line that cannot be written at once is dropped and counted, so that no poll fails or waits.

    That happens with a pipe whose reader has ended or stopped, and with a full disk.

    Args:
        stream: the text stream to write to, None if the process has no standard error.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._cut = False

    def write(self, line: str) -> int:
        """Write a line with its end, and return its length, also if it is dropped."""
        if self._stream is not None:
            try:
                self._write(self._stream, line)
            except (OSError, ValueError):
                DROPPED.inc()
        return len(line)

    def flush(self) -> None:
        """Do nothing: lines are written at once, without the buffer of the text stream."""

    def _write(self, stream: TextIO, line: str) -> None:
        try:
            descriptor = stream.fileno()
        except OSError:
            # It is in memory.
            stream.write(line)
            return
        # After a part of a line, the next one starts a new line.
        rest = (f"\n{line}" if self._cut else line).encode("utf-8", "backslashreplace")
        ready = select.poll()
        ready.register(descriptor, select.POLLOUT)
        while rest:
            if not ready.poll(0):
                raise BlockingIOError
            # A write of this size to a ready pipe does not block.
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
            self._cut = bool(rest)


def configure(level: str, format_: str) -> None:
    """Send the log to standard error; `level` is one of `LEVELS`, `format_` a key of `FORMATS`."""
    stream = LogStream(sys.stderr)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.EventRenamer("msg"),
        one_line,
    ]
    structlog.configure(
        processors=[*shared, FORMATS[format_]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Only its methods `write` and `flush` are used.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", stream)),
        cache_logger_on_first_use=False,
    )
    # asyncio and the libraries log with the standard library.
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, FORMATS[format_]],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class FailureLog:
    """Logs a failure that may repeat: when it begins or changes its kind, each hour while it lasts, and when it ends.

    A failure that comes and goes is logged at most once per `quiet`; in between, it is only counted.

    Args:
        began: the message of the failure.
        ended: the message of its end.
        quiet: seconds for which a failure that comes and goes is not logged again.
    """

    def __init__(
        self,
        log: Logger,
        began: str,
        ended: str,
        clock: Callable[[], float] = time.monotonic,
        quiet: float = QUIET,
    ) -> None:
        self._log = log
        self._began = began
        self._ended = ended
        self._clock = clock
        self._quiet = quiet
        self._logged_at: dict[str, float] = {}
        self._open: set[str] = set()
        self._times = 0
        self._failing = False
        self._since = 0.0

    def failed(self, kind: str, error: object, **fields: object) -> None:
        """Log or count a failure; failures of the same kind are one, even if their texts differ."""
        now = self._clock()
        if not self._failing:
            self._failing, self._since = True, now
        self._times += 1
        fields = {"kind": kind, "error": str(error), **fields, "failures": self._times}
        pause = self._quiet
        if kind in self._open:
            pause, fields["lasting"] = REMINDER, self._duration(now)
        if now - self._logged_at.get(kind, -math.inf) >= pause:
            self._logged_at[kind] = now
            self._open.add(kind)
            self._log.warning(self._began, **fields)

    def succeeded(self) -> None:
        """Log the end of the failure, if there was one."""
        self._failing = False
        if self._open:
            self._log.info(self._ended, failures=self._times, lasted=self._duration(self._clock()))
            self._open.clear()
            self._times = 0

    def _duration(self, now: float) -> str:
        return format_duration(int(now - self._since))
