"""The effects of a fold on the counters of the whole instance."""

from dataclasses import dataclass

from feldera_exporter.micros import Micros


@dataclass(frozen=True, slots=True)
class StatusEnded:
    """A timed status ended.

    Attributes:
        status: the status that ended.
        micros: how long it lasted.
    """

    status: str
    micros: Micros


@dataclass(frozen=True, slots=True)
class ErrorAppeared:
    """A deployment error was set where none was.

    Attributes:
        event_id: the event with which it appeared; None where it was found in a row.
        code: its `error_code`; None while it was not asked for.
    """

    event_id: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events were missed, or their order is a guess: they were purged unread, or the clock stepped back.

    Attributes:
        at: the time of the newest event whose order is a guess, or of the oldest retained event, from which counting
            continues; by Feldera's clock.
    """

    at: Micros


Effect = StatusEnded | ErrorAppeared | Gap
