"""The store: one transaction per poll, so that a kill at any instant loses nothing and counts nothing twice."""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import time
from typing import Any, Final, Self

import msgspec

from feldera_exporter.errors import StoreError
from feldera_exporter.history.history import History
from feldera_exporter.micros import SECOND
from feldera_exporter.store import process_lock, sqlite_file
from feldera_exporter.store.poll_changes import PipelineName, PollChanges, StoredInstance, StoredState

_NAME: Final = "state.sqlite3"

KEPT: Final = 7 * 24 * 3600 * SECOND
"""Microseconds for which a vanished pipeline is kept: it may be listed again, as after a change of the filters."""

MOST_VANISHED: Final = 10_000
"""How many vanished pipelines of an instance are kept."""

_LOG: Final = logging.getLogger(__name__)
_UPSERT: Final = """INSERT INTO pipelines (instance, pipeline, waiting, vanished, history, checksum)
    VALUES (?1, ?2, ?3, ?4, ?5, checksum(?1, ?2, ?3, ?4, ?5)) ON CONFLICT DO UPDATE SET
    waiting = excluded.waiting, vanished = excluded.vanished, history = excluded.history, checksum = excluded.checksum"""
_WAIT: Final = """UPDATE pipelines SET waiting = ?1, checksum = checksum(instance, pipeline, ?1, vanished, history)
    WHERE instance = ?2 AND pipeline = ?3"""
_COLUMNS: Final = """SELECT CAST(instance AS BLOB), CAST(pipeline AS BLOB), waiting, vanished, history, checksum
    FROM pipelines"""
_FORGET: Final = "DELETE FROM pipelines WHERE instance = ? AND vanished < ?"
_LIMIT: Final = """DELETE FROM pipelines WHERE rowid IN (SELECT rowid FROM pipelines
    WHERE instance = ? AND vanished IS NOT NULL ORDER BY vanished DESC LIMIT -1 OFFSET ?)"""
_INSTANCES: Final = "SELECT CAST(instance AS BLOB), standing, problems, checksum FROM instances"
_STAND: Final = """INSERT INTO instances (instance, standing, problems, checksum)
    VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3)) ON CONFLICT DO UPDATE SET
    standing = ?2, problems = coalesce(?3, problems), checksum = checksum(?1, ?2, coalesce(?3, problems))"""
_NAMES: Final = """SELECT CAST(instance AS BLOB), CAST(pipeline AS BLOB), CAST(name AS BLOB), gone, checksum
    FROM names"""
_KEEP_NAME: Final = """INSERT INTO names (instance, pipeline, name, gone, checksum)
    VALUES (?1, ?2, ?3, ?4, checksum(?1, ?2, ?3, ?4))
    ON CONFLICT DO UPDATE SET gone = excluded.gone, checksum = excluded.checksum"""
_FORGET_NAME: Final = "DELETE FROM names WHERE instance = ? AND pipeline = ? AND name = ?"

_encode: Final = msgspec.msgpack.Encoder().encode
_history: Final = msgspec.msgpack.Decoder(History).decode
_standing: Final = msgspec.msgpack.Decoder(StoredInstance).decode


class Store:
    """The stored counters and problems, in one directory; every method may be called from any thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection, descriptor: int) -> None:
        self._path = path
        self._connection = connection
        self._descriptor = descriptor
        self._status = path.stat()
        self._guard = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the store of a directory, or make both.

        A damaged file is set aside and counting starts from 0, and the log says so.

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
        """Return what is stored of an instance; nothing if it is new.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._access("read"):
            known = self._select(f"{_INSTANCES} WHERE instance = ?", instance)
            rows = self._select(f"{_COLUMNS} WHERE instance = ? AND vanished IS NULL", instance)
            named = self._select(f"{_NAMES} WHERE instance = ? ORDER BY gone", instance)
        names = {PipelineName(pipeline.decode(), name.decode()): gone for _, pipeline, name, gone in named}
        stored = replace(_stored(rows), names=names)
        for _, standing, problems in known:
            stored = replace(stored, standing=_standing(standing), problems=problems)
        return stored

    def recall(self, instance: str, pipelines: Iterable[str]) -> StoredState:
        """Return what is still stored of pipelines, vanished or not.

        Raises:
            StoreError: the file cannot be read.
        """
        statement = f"{_COLUMNS} WHERE instance = ? AND pipeline = ?"
        with self._access("read"):
            return _stored([row for each in pipelines for row in self._select(statement, instance, each)])

    def commit(self, changes: PollChanges) -> None:
        """Write changes in one transaction.

        Raises:
            StoreError: none of them was written, because the disk is full for example.
        """
        instance, others = changes.instance, changes.waiting.keys() - changes.histories.keys()
        with self._access("written"):
            if not (self._path.exists() and os.path.samestat(self._path.stat(), self._status)):
                self._restore()
            self._connection.execute("BEGIN IMMEDIATE")
            # The connection as a context commits the transaction, or after an error rolls it back.
            with self._connection as connection:
                connection.executemany(_UPSERT, map(partial(_row, changes), changes.histories))
                connection.executemany(_WAIT, ((changes.waiting[each], instance, each) for each in others))
                connection.execute(_FORGET, (instance, changes.standing.confirmed_until - KEPT))
                if changes.vanished:
                    connection.execute(_LIMIT, (instance, MOST_VANISHED))
                connection.execute(_STAND, (instance, _encode(changes.standing), changes.problems))
                connection.executemany(_FORGET_NAME, ((instance, *name) for name in changes.forgotten_names))
                connection.executemany(
                    _KEEP_NAME, ((instance, *name, gone) for name, gone in changes.names.items())
                )

    def close(self) -> None:
        """Close the file and release the lock."""
        with self._guard:
            self._connection.close()
            os.close(self._descriptor)

    @contextmanager
    def _access(self, what: str) -> Iterator[None]:
        """Exclude other threads; an error says that the file cannot be read or written."""
        with self._guard:
            try:
                yield
            except (sqlite3.Error, OSError, sqlite_file.DamagedFileError) as error:
                raise StoreError(f"{self._path}: cannot be {what}: {error}") from error

    def _select(self, statement: str, *names: str) -> list[tuple[Any, ...]]:
        return list(_intact_rows(self._connection.execute(statement, names)))

    def _restore(self) -> None:
        """Write the file again that was deleted or replaced: the open one still has all that was committed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = process_lock.acquire(self._path.parent, held=self._descriptor)
        if descriptor != self._descriptor:
            os.close(self._descriptor)
            self._descriptor = descriptor
        copy = sqlite_file.copied(self._connection, self._path, _stamp())
        self._connection.close()
        self._connection, self._status = copy, self._path.stat()
        _LOG.warning("%s was deleted or replaced; made again with all that was counted", self._path)


def _stamp() -> str:
    return datetime.fromtimestamp(time(), UTC).strftime("%Y%m%dT%H%M%SZ")


def _row(changes: PollChanges, pipeline_id: str) -> tuple[object, ...]:
    """Return the parameters of `_UPSERT`."""
    return (
        changes.instance,
        pipeline_id,
        changes.waiting.get(pipeline_id),
        changes.vanished.get(pipeline_id),
        _encode(changes.histories[pipeline_id]),
    )


def _intact_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Yield rows without their last column, the checksum.

    Raises:
        DamagedFileError: a row is not what was written.
    """
    for *values, checksum in rows:
        if sqlite_file.checksum(*values) != checksum:
            raise sqlite_file.DamagedFileError("the checksum of a row is wrong")
        yield tuple(values)


def _stored(rows: Iterable[tuple[Any, ...]]) -> StoredState:
    """Return what rows of `_COLUMNS` say."""
    histories, waiting = {}, {}
    for _, pipeline, until, _, history in sorted(rows, key=lambda row: (row[2] or 0, row[1])):
        histories[pipeline.decode()] = _history(history)
        if until is not None:
            waiting[pipeline.decode()] = until
    return StoredState(histories=histories, waiting=waiting)


def _intact(path: Path) -> sqlite3.Connection:
    try:
        return sqlite_file.connect(path, _verify)
    except sqlite_file.DamagedFileError as damage:
        kept = sqlite_file.set_aside(path, _stamp())
        _LOG.warning("%s is damaged (%s); kept as %s, counting starts from 0", path, damage, kept.name)
    return sqlite_file.connect(path, _verify)


def _verify(connection: sqlite3.Connection) -> None:
    """Read everything once, so that damage shows at the start."""
    for statement in (_INSTANCES, _COLUMNS, _NAMES):
        for _ in _intact_rows(connection.execute(statement)):
            pass
