"""What a fold tells beside a pipeline's new history: the happenings that an instance counts as a whole."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusEnded:
    """A timed status ended.

    Attributes:
        dimension: the status field's name in Feldera's API.
        status: the status that ended.
        micros: how long it lasted.
    """

    dimension: str
    status: str
    micros: int


@dataclass(frozen=True, slots=True)
class ErrorAppeared:
    """A deployment error was set where none was.

    Attributes:
        at: when, microseconds by Feldera's clock.
        event_id: the event that tells it, None when a row did.
        code: its `error_code`, None while not yet asked for.
    """

    at: int
    event_id: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events were purged before they could be read, or a clock stepped back between events of one answer.

    Attributes:
        at: the time of the newest event whose order is a guess, or of the oldest retained event, from which counting
            continues; microseconds by Feldera's clock.
    """

    at: int


Effect = StatusEnded | ErrorAppeared | Gap
