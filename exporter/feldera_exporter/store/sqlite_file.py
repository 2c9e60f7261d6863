"""The SQLite file of a store: opened, recognised, made, or set aside where it is damaged."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from feldera_exporter.errors import StoreError

APPLICATION_ID: Final = 0x46455845
"""Marks a file as this exporter's (`FEXE`); `file` and SQLite's own tools show it."""

VERSION: Final = 2
"""The version of the schema and of the values in it; raised whenever an older exporter could not read them."""

_SCHEMA: Final = (
    "CREATE TABLE instances (instance TEXT PRIMARY KEY, standing BLOB NOT NULL, problems BLOB) WITHOUT ROWID",
    """CREATE TABLE pipelines (
        instance TEXT NOT NULL,
        pipeline TEXT NOT NULL,
        waiting INTEGER,
        vanished INTEGER,
        history BLOB NOT NULL,
        PRIMARY KEY (instance, pipeline)
    )""",
    "CREATE INDEX vanished ON pipelines (vanished) WHERE vanished IS NOT NULL",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

_UPGRADES: Final = (
    # To version 2: the problems of each instance.
    ("ALTER TABLE instances ADD COLUMN problems BLOB", "PRAGMA user_version = 2"),
)
"""By version, from 1 on: what makes the next one of it."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedFileError(Exception):
    """The file is no intact database."""


def connect(path: Path, verify: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Open a store's file, or make it.

    `synchronous=FULL`: what was published must not be forgotten when the power fails either; at one commit per poll
    that costs a millisecond.

    Args:
        path: the file.
        verify: reads what is in it and raises `Damaged` where it makes no sense.

    Raises:
        Damaged: the file is no intact database.
        StoreError: it is not this exporter's, or a newer one's, or cannot be read or written.
    """
    with suppress(OSError):
        # SQLite gives its journals the mode of the file; that it cannot be made it says itself.
        path.touch(mode=0o600)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be opened: {error}") from error
    try:
        _recognise(connection, path)
        verify(connection)
    except sqlite3.Error as error:
        connection.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise DamagedFileError(str(error)) from error
        raise StoreError(f"{path}: cannot be used: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def identity(path: Path) -> tuple[int, int]:
    """Return the device and the inode of a file."""
    status = path.stat()
    return status.st_dev, status.st_ino


def is_same(path: Path, known: tuple[int, int]) -> bool:
    """Tell whether a path still names a file: it may have been deleted or replaced while it was open."""
    try:
        return identity(path) == known
    except FileNotFoundError:
        return False


def copied(connection: sqlite3.Connection, path: Path, stamp: str) -> sqlite3.Connection:
    """Return a connection to a copy of an open database at a path; a file that is there now is renamed.

    Args:
        connection: the open database.
        path: where its file was.
        stamp: what to append to the name of a file that is there now, a time of day.
    """
    if path.exists():
        set_aside(path, stamp)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copy = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
        copy.execute("PRAGMA synchronous = FULL")
    except BaseException:
        copy.close()
        raise
    return copy


def set_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged file and its journal, so that whoever cares can look at them.

    Args:
        path: the database file.
        stamp: what to append, a time of day.

    Raises:
        StoreError: it cannot be renamed.
    """
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 0
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    try:
        path.rename(kept)
        for suffix in ("-wal", "-shm"):
            journal = path.with_name(path.name + suffix)
            if journal.exists():
                journal.rename(kept.with_name(kept.name + suffix))
    except OSError as error:
        raise StoreError(f"{path}: is damaged and cannot be set aside: {error.strerror}") from error
    return kept


def _recognise(connection: sqlite3.Connection, path: Path) -> None:
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            f"{path}: is another program's database (application_id {application:#x}, expected "
            f"{APPLICATION_ID:#x}); name another directory"
        )
    if version > VERSION:
        raise StoreError(
            f"{path}: was written by a newer exporter (schema version {version}, this one knows {VERSION}); "
            "run that one, or name another directory"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    if not tables:
        for statement in _SCHEMA:
            connection.execute(statement)
    for upgrade in _UPGRADES[version - 1 :] if tables else ():
        for statement in upgrade:
            connection.execute(statement)
    connection.execute("COMMIT")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedFileError(str(found))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)
