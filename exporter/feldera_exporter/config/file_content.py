"""What is read from files that others rotate: read again when one of them changes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import FailureLog, Logger

Content = TypeVar("Content")


class FileContent(Generic[Content]):
    """The content of files. While they cannot be used, for example during their replacement, the last content stays.

    Args:
        read: reads the files.
        files: returns the files of a content.
        what: what they hold, for the log.

    Raises:
        ConfigError: they cannot be used; `read` says why.
    """

    def __init__(
        self, read: Callable[[], Content], files: Callable[[Content], Iterable[Path]], what: str, log: Logger
    ) -> None:
        self._read = read
        self._files = files
        self._what = what
        self._log = log
        self._unusable = FailureLog(log, f"{what} cannot be read again", f"{what} can be read again")
        self._content = read()
        self._states = self._present_states()
        if self._states:
            # Only a content names its files. A file may have changed before its state was determined: read what it has now.
            self._content = read()

    def present(self) -> Content:
        """Return the present content."""
        # Determined before the files are read: what changes in between is read next time.
        states = self._present_states()
        if states != self._states:
            try:
                self._content = self._read()
            except ConfigError as error:
                # The next call tries again: the missing file may be one that only the new content names.
                self._unusable.failed("mistake", error)
            else:
                self._states = states
                self._unusable.succeeded()
                self._log.info(f"{self._what} read again")
        return self._content

    def _present_states(self) -> list[tuple[int, int, int] | None]:
        """Return a list that differs after one of the files was replaced or changed."""
        return [_state(file) for file in self._files(self._content)]


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
