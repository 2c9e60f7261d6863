"""The SQLite file of a store: opens or makes it, checks that it is intact, and renames a damaged one."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from feldera_exporter.errors import StoreError

APPLICATION_ID: Final = 0x46455845
"""Marks a file as this exporter's (`FEXE`); `file` and SQLite's own tools show it."""

VERSION: Final = 5
"""The version of the schema and of the values in it; raised whenever another exporter could not read them."""

_SCHEMA: Final = (
    """CREATE TABLE instances (
        instance TEXT PRIMARY KEY,
        standing BLOB NOT NULL,
        problems BLOB,
        checksum INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE pipelines (
        instance TEXT NOT NULL,
        pipeline TEXT NOT NULL,
        waiting INTEGER,
        vanished INTEGER,
        history BLOB NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (instance, pipeline)
    )""",
    """CREATE TABLE names (
        instance TEXT NOT NULL,
        pipeline TEXT NOT NULL,
        name TEXT NOT NULL,
        gone INTEGER,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (instance, pipeline, name)
    ) WITHOUT ROWID""",
    "CREATE INDEX vanished ON pipelines (instance, vanished) WHERE vanished IS NOT NULL",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class DamagedFileError(Exception):
    """The file is no intact database."""


def connect(path: Path, verify: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """Open a store's file, or make it.

    `synchronous=FULL`: what was published must not be lost in a power failure; it costs a millisecond per poll.
    `verify` reads what is in it, and raises `DamagedFileError` where it is not what was written.

    Raises:
        DamagedFileError: the file is no intact database.
        StoreError: another program or version wrote it, or it cannot be read or written.
    """
    connection = _opened(path)
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


def checksum(*values: str | bytes | int | None) -> int:
    """Return a checksum of a row's values; in SQL, too, it is a function of that name.

    SQLite itself does not notice a bit that was flipped on the disk.
    """
    plain = [value.encode() if isinstance(value, str) else value for value in values]
    return crc32(msgspec.msgpack.encode(plain))


def copied(connection: sqlite3.Connection, path: Path, stamp: str) -> sqlite3.Connection:
    """Return a connection to a copy of an open database at a path; a file that is there now is set aside.

    Raises:
        sqlite3.Error: there is no room for the copy, for example; then nothing is left of it.
        StoreError: the file that is there cannot be set aside, or the copy cannot be opened.
    """
    if path.exists():
        set_aside(path, stamp)
    _delete(path)
    copy = _opened(path)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = WAL")
        copy.execute("PRAGMA synchronous = FULL")
    except BaseException:
        copy.close()
        # The next attempt would set it aside, and so each attempt would leave another file on a full disk.
        _delete(path)
        raise
    return copy


def set_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged file and its journal, and return the file's new path, which ends in `stamp`, a time of day.

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
    if tables and version != VERSION:
        raise StoreError(
            f"{path}: was written by another version of the exporter (schema version {version}, this one reads {VERSION}); "
            "run that one, or name another directory"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    if not tables:
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedFileError(str(found))


def _delete(path: Path) -> None:
    """Delete a database and its journals, as far as they are there."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    with suppress(OSError):
        # SQLite gives its journals the mode of the file. If it cannot be made, SQLite says so.
        path.touch(mode=0o600)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot be opened: {error}") from error
    connection.create_function("checksum", -1, checksum, deterministic=True)
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)
