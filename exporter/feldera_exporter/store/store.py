"""The store: one transaction per poll, so that a kill at any instant loses nothing and counts nothing twice."""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import time
from typing import Final, Self, TypeVar

import msgspec

from feldera_exporter.errors import StoreError
from feldera_exporter.history.history import History
from feldera_exporter.store import process_lock, sqlite_file
from feldera_exporter.store.poll_changes import PollChanges, StoredInstance, StoredState

_NAME: Final = "state.sqlite3"

KEPT: Final = 7 * 24 * 3600 * 1_000_000
"""For how long a vanished pipeline is remembered, microseconds: it may have been out of sight only."""

_LOG: Final = logging.getLogger(__name__)
_UPSERT: Final = """INSERT INTO pipelines (instance, pipeline, history, vanished, waiting)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET history = excluded.history, vanished = excluded.vanished,
    waiting = CASE WHEN ?6 THEN excluded.waiting ELSE waiting END"""
_WAIT: Final = "UPDATE pipelines SET waiting = ? WHERE instance = ? AND pipeline = ?"
_VANISH: Final = "UPDATE pipelines SET vanished = ? WHERE instance = ? AND pipeline = ?"
_COLUMNS: Final = "SELECT pipeline, waiting, history FROM pipelines WHERE instance = ?"
_FORGET: Final = "DELETE FROM pipelines WHERE instance = ? AND vanished < ?"
_STAND: Final = """INSERT INTO instances (instance, standing) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET standing = excluded.standing"""
_KEEP_PROBLEMS: Final = "UPDATE instances SET problems = ? WHERE instance = ?"

_Value = TypeVar("_Value")

_encode: Final = msgspec.msgpack.Encoder().encode
_history: Final = msgspec.msgpack.Decoder(History).decode
_standing: Final = msgspec.msgpack.Decoder(StoredInstance).decode


class Store:
    """What the exporter must remember, in a directory of its own; every method may be called from any thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection, descriptor: int) -> None:
        self._path = path
        self._connection = connection
        self._descriptor = descriptor
        self._identity = sqlite_file.identity(path)
        self._missed: dict[str, PollChanges] = {}
        self._guard = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the store of a directory, or make both.

        A damaged file is set aside and counting starts anew, which the log says.

        Raises:
            StoreError: the directory is in use, cannot be written, or holds what this exporter did not write.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{directory}: cannot be made: {error.strerror}; the store needs a directory"
            ) from error
        descriptor = process_lock.acquire(directory)
        path = directory / _NAME
        try:
            connection = _intact(path)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, connection, descriptor)

    def load(self, instance: str) -> StoredState:
        """Return what is known of an instance, nothing where it is new.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._guard:
            try:
                known = self._connection.execute(
                    "SELECT standing, problems FROM instances WHERE instance = ?", (instance,)
                ).fetchone()
                rows = self._connection.execute(f"{_COLUMNS} AND vanished IS NULL", (instance,)).fetchall()
            except sqlite3.Error as error:
                raise self._failed("read", error) from error
        standing, problems = (_standing(known[0]), known[1]) if known else (StoredInstance(), None)
        return replace(_remembered(standing, rows), problems=problems)

    def recall(self, instance: str, pipelines: Iterable[str]) -> StoredState:
        """Return what is known of pipelines that had vanished, so far as they are still remembered.

        Raises:
            StoreError: the file cannot be read, or is behind, as an earlier commit failed.
        """
        with self._guard:
            try:
                if instance in self._missed:
                    self._catch_up(self._missed[instance])
                rows = [
                    row
                    for pipeline in pipelines
                    for row in self._connection.execute(f"{_COLUMNS} AND pipeline = ?", (instance, pipeline))
                ]
            except sqlite3.Error as error:
                raise self._failed("read", error) from error
        return _remembered(StoredInstance(), rows)

    def commit(self, changes: PollChanges) -> None:
        """Write changes in one transaction, with all that earlier commits failed to write.

        Raises:
            StoreError: they could not be written, a full disk for example; the next commit tries again.
        """
        with self._guard:
            missed = self._missed.get(changes.instance)
            try:
                self._catch_up(missed.then(changes) if missed else changes)
            except (sqlite3.Error, OSError) as error:
                raise self._failed("written", error) from error

    def keep_problems(self, instance: str, problems: bytes) -> None:
        """Write the problems of an instance of which something was committed before.

        Raises:
            StoreError: they could not be written.
        """
        with self._guard:
            try:
                if instance in self._missed:
                    # The row may not be there yet.
                    self._catch_up(self._missed[instance])
                self._connection.execute(_KEEP_PROBLEMS, (problems, instance))
            except (sqlite3.Error, OSError) as error:
                raise self._failed("written", error) from error

    def close(self) -> None:
        """Close the file and let another process have it."""
        with self._guard:
            self._connection.close()
            os.close(self._descriptor)

    def _catch_up(self, changes: PollChanges) -> None:
        self._missed[changes.instance] = changes
        self._write(changes)
        del self._missed[changes.instance]

    def _write(self, changes: PollChanges) -> None:
        if not sqlite_file.is_same(self._path, self._identity):
            self._restore()
        instance, execute = changes.instance, self._connection.execute
        many = self._connection.executemany
        execute("BEGIN IMMEDIATE")
        try:
            # Most that changes of a pipeline comes with its history: one statement for all of it, as there may be many.
            many(_UPSERT, map(partial(_row, changes), changes.histories))
            many(_WAIT, ((until, instance, one) for one, until in _beside(changes, changes.waiting)))
            many(_VANISH, ((at, instance, one) for one, at in _beside(changes, changes.vanished)))
            execute(_FORGET, (instance, changes.standing.confirmed_until - KEPT))
            execute(_STAND, (instance, _encode(changes.standing)))
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _restore(self) -> None:
        """Make the file again that was deleted or replaced: the open one still holds all that was committed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = process_lock.acquire(self._path.parent, held=self._descriptor)
        if descriptor != self._descriptor:
            os.close(self._descriptor)
            self._descriptor = descriptor
        copy = sqlite_file.copied(self._connection, self._path, _stamp())
        self._connection.close()
        self._connection, self._identity = copy, sqlite_file.identity(self._path)
        _LOG.warning("%s was deleted or replaced; made again with all that was counted", self._path)

    def _failed(self, what: str, error: Exception) -> StoreError:
        return StoreError(f"{self._path}: cannot be {what}: {error}")


def _stamp() -> str:
    return datetime.fromtimestamp(time(), UTC).strftime("%Y%m%dT%H%M%SZ")


def _row(changes: PollChanges, one: str) -> tuple[object, ...]:
    """Return what `_UPSERT` takes."""
    return (
        changes.instance,
        one,
        _encode(changes.histories[one]),
        changes.vanished.get(one),
        changes.waiting.get(one),
        one in changes.waiting,
    )


def _beside(changes: PollChanges, some: Mapping[str, _Value]) -> Iterator[tuple[str, _Value]]:
    """Yield what is told of pipelines whose history is the same."""
    return ((one, value) for one, value in some.items() if one not in changes.histories)


def _remembered(standing: StoredInstance, rows: Sequence[tuple[str, int | None, bytes]]) -> StoredState:
    waiting = sorted((until, pipeline) for pipeline, until, _ in rows if until is not None)
    return StoredState(
        standing,
        histories={pipeline: _history(blob) for pipeline, _, blob in rows},
        waiting={pipeline: until for until, pipeline in waiting},
    )


def _intact(path: Path) -> sqlite3.Connection:
    try:
        return sqlite_file.connect(path, _verify)
    except sqlite_file.DamagedFileError as damage:
        kept = sqlite_file.set_aside(path, _stamp())
        _LOG.warning("%s is damaged (%s); kept as %s, counting starts anew", path, damage, kept.name)
    return sqlite_file.connect(path, _verify)


def _verify(connection: sqlite3.Connection) -> None:
    """Decode everything once, so that damage shows at the start."""
    try:
        for instance, blob in connection.execute("SELECT CAST(instance AS BLOB), standing FROM instances"):
            instance.decode()
            _standing(blob)
        for instance, pipeline, blob in connection.execute(
            "SELECT CAST(instance AS BLOB), CAST(pipeline AS BLOB), history FROM pipelines"
        ):
            instance.decode()
            pipeline.decode()
            _history(blob)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise sqlite_file.DamagedFileError(f"a value in it cannot be read: {error}") from error
