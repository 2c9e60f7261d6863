"""What the store keeps over a restart, and damaged or locked stores."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feldera_exporter.errors import StoreError
from feldera_exporter.history.effects import Gap
from feldera_exporter.history.fold import fold
from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import InstanceTotals, add
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.store import sqlite_file
from feldera_exporter.store.poll_changes import (
    NO_NAMES,
    PipelineName,
    PollChanges,
    StoredInstance,
    StoredState,
)
from feldera_exporter.store.store import KEPT, Store
from support.history_examples import begun, instant, seen
from support.tools import example_count

FILE = "state.sqlite3"
THOUSANDS = example_count(10_000)
NAMES = ("Stopped", "Provisioning", "Provisioned/Initializing", "Provisioned/Running", "Stopping", "Stopped")


def a_history(turns: int = 6) -> History:
    """Return a history that has seen something."""
    log = [seen(number, NAMES[number % len(NAMES)]) for number in range(turns)]
    return fold(begun(0, "Stopped"), log, instant(0))[0]


def standing(at: float) -> StoredInstance:
    """Return where an instance stands."""
    return StoredInstance(
        confirmed_until=instant(at), as_of=instant(at - 3), totals=add(InstanceTotals(), [Gap(instant(at))])
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that does not exist yet."""
    return tmp_path / "deep" / "state"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    """A new store."""
    opened = Store.open(directory)
    yield opened
    opened.close()


def test_no_other_user_may_read_it(directory: Path, store: Store) -> None:
    """No other user may read the new directory or a file in it."""
    store.commit(PollChanges("prod", standing(1), {"a": a_history()}))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (directory, *directory.iterdir())}
    assert modes.pop(directory.name) == 0o700
    assert modes.keys() >= {FILE, f"{FILE}-wal", "lock"}
    assert set(modes.values()) == {0o600}


def test_a_new_store_knows_nothing(store: Store) -> None:
    """An instance without a commit has no counters."""
    assert store.load("prod").standing == StoredInstance()
    assert not store.load("prod").histories


def test_what_was_committed_is_there_after_a_restart(directory: Path) -> None:
    """Values are kept by instance and pipeline, to the microsecond."""
    store = Store.open(directory)
    store.commit(
        PollChanges(
            "prod", standing(9), {"a": a_history(), "b": a_history(3)}, {"b": instant(2), "a": instant(4)}
        )
    )
    store.commit(PollChanges("test", standing(5), {"a": a_history(2)}))
    store.commit(PollChanges("prod", standing(20), {"b": a_history(4)}, {"a": None, "b": instant(2)}))
    store.close()
    store = Store.open(directory)
    found = store.load("prod")
    assert found.standing == standing(20)
    assert found.histories == {"a": a_history(), "b": a_history(4)}
    assert found.waiting == {"b": instant(2)}
    assert store.load("test").histories == {"a": a_history(2)}
    store.close()


def test_who_waits_longest_comes_first(store: Store) -> None:
    """The order of pending logs is kept."""
    histories = dict.fromkeys("abc", a_history())
    store.commit(PollChanges("prod", standing(9), histories, {"a": 3, "b": 1, "c": 2}))
    assert list(store.load("prod").waiting) == ["b", "c", "a"]


def test_a_vanished_pipeline_is_kept_seven_days(store: Store) -> None:
    """It is not loaded, but returned if it comes back in time."""
    store.commit(PollChanges("prod", standing(0), {"a": a_history(), "b": a_history(2)}, {"a": 1}))
    store.commit(PollChanges("prod", standing(1), {"a": a_history()}, {"a": 1}, {"a": instant(0)}))
    assert set(store.load("prod").histories) == {"b"}
    store.commit(PollChanges("prod", standing(KEPT / 1e6)))
    found = store.recall("prod", ["a", "x"])
    assert (found.histories, found.waiting) == ({"a": a_history()}, {"a": 1})
    store.commit(PollChanges("prod", standing(2), {"a": a_history(3)}, {"a": None}))
    assert store.load("prod").histories["a"] == a_history(3)
    assert not store.load("prod").waiting
    store.commit(PollChanges("prod", standing(3), {"a": a_history(3)}, vanished={"a": instant(0)}))
    store.commit(PollChanges("prod", standing(KEPT / 1e6 + 1)))
    assert store.recall("prod", ["a"]).histories == {}


def test_what_a_pipeline_did_lately_is_kept_with_it(store: Store) -> None:
    """Recent activity is kept, so a restart forgets no crash loop."""
    log = [
        seen(at, f"Provisioned/{status}")
        for at, status in enumerate(("Running", "Unavailable", "Initializing"))
    ]
    history = fold(begun(0, "Provisioned/Running"), log, instant(0))[0]
    store.commit(PollChanges("prod", standing(9), {"a": history}))
    kept = store.load("prod").histories["a"]
    assert kept.recent == RecentActivity(
        restarts=(instant(2),), losses=(instant(1),), absences=((instant(1), instant(2)),)
    )


def test_problems_are_kept_by_instance(directory: Path) -> None:
    """Problems stay as they are until others are written; at first there are none."""
    store = Store.open(directory)
    for name in ("prod", "test"):
        store.commit(PollChanges(name, standing(1), {"a": a_history()}))
    assert store.load("prod").problems is None
    for problems in (b"first", b"second"):
        store.commit(PollChanges("prod", standing(1), problems=problems))
    store.commit(PollChanges("prod", standing(2), {"a": a_history()}, vanished={"a": instant(2)}))
    store.close()
    store = Store.open(directory)
    assert (store.load("prod").problems, store.load("test").problems) == (b"second", None)
    assert store.load("prod").standing == standing(2)
    store.close()


def test_names_are_kept_by_instance(directory: Path) -> None:
    """The names of an instance survive a restart; former names come in the order of their times."""
    store = Store.open(directory)
    assert store.load("prod").names == {}
    first = {PipelineName("a", "x"): 7, PipelineName("a", "y"): None, PipelineName("b", "z\0'\u00e9"): None}
    for name in ("prod", "test"):
        store.commit(PollChanges(name, standing(1)).with_names(NO_NAMES, first))
    second = {PipelineName("b", "z\0'\u00e9"): 9, PipelineName("a", "y"): 8, PipelineName("c", "x"): None}
    store.commit(PollChanges("prod", standing(1)).with_names(first, second))
    store.commit(PollChanges("prod", standing(1)).with_names(second, second))
    store.close()
    store = Store.open(directory)
    assert store.load("test").names == first
    found = store.load("prod").names
    assert found == second
    assert [gone for gone in found.values() if gone is not None] == [8, 9]
    store.close()


def test_names_that_cannot_be_kept_are_an_error(store: Store) -> None:
    """A full disk is an error, and nothing is written."""
    names = {PipelineName(f"{n:036d}", "x" * 100): None for n in range(1000)}
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
        store.commit(PollChanges("prod", standing(1)).with_names(NO_NAMES, names))
    assert store.load("prod") == StoredState()


def test_problems_that_cannot_be_kept_are_an_error(store: Store) -> None:
    """While another process has the write lock, the stored problems stay."""
    store.commit(PollChanges("prod", standing(1), problems=b"first"))
    other = sqlite3.connect(store._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="cannot be written: database is locked"):
        store.commit(PollChanges("prod", standing(2), problems=b"second"))
    other.execute("ROLLBACK")
    other.close()
    assert store.load("prod") == StoredState(standing(1), problems=b"first")


def test_the_number_of_vanished_pipelines_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each instance those that vanished first are dropped."""
    monkeypatch.setattr("feldera_exporter.store.store.MOST_VANISHED", 3)
    for name in ("prod", "test"):
        for turn in range(3):
            gone = {f"{turn}-{n}": a_history() for n in range(2)}
            store.commit(PollChanges(name, standing(turn), gone, vanished=dict.fromkeys(gone, instant(turn))))
    ids = [f"{turn}-{n}" for turn in range(3) for n in range(2)]
    for name in ("prod", "test"):
        found = store.recall(name, ids).histories
        assert len(found) == 3
        assert {"2-0", "2-1"} < found.keys() < set(ids[2:])


def test_a_second_process_is_refused(store: Store, directory: Path) -> None:
    """The error names the directory and the process; the lock ends with it."""
    code = f"import sys; from pathlib import Path; from feldera_exporter.store.store import Store; Store.open(Path({str(directory)!r}))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert f"StoreError: {directory}: in use by process {os.getpid()};" in child.stderr
    with pytest.raises(StoreError, match="in use"):
        Store.open(directory)
    store.load("prod")


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The error has the path and the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/state: cannot be made: Not a directory"):
        Store.open(tmp_path / "file" / "state")


def test_a_lock_that_cannot_be_opened_is_refused(directory: Path) -> None:
    """Something else with the name of the lock is an error."""
    (directory / "lock").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"lock: cannot be written: Is a directory"):
        Store.open(directory)


def test_a_file_system_without_locks_is_refused(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without locks two writers could damage the counts."""

    def refuse(_: int, __: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreError, match=r"lock: cannot be locked: Operation not supported"):
        Store.open(directory)


def test_a_commit_that_cannot_begin_is_an_error(store: Store) -> None:
    """A write lock of another process is an error."""
    other = sqlite3.connect(store._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    changes = PollChanges("prod", standing(1), {"a": a_history()})
    with pytest.raises(StoreError, match=r"cannot be written: database is locked"):
        store.commit(changes)
    other.execute("ROLLBACK")
    other.close()
    assert store.load("prod") == StoredState()
    store.commit(changes)
    assert set(store.load("prod").histories) == {"a"}


def test_a_file_that_cannot_be_opened_is_refused(directory: Path) -> None:
    """The lock is released."""
    (directory / FILE).mkdir(parents=True)
    with pytest.raises(StoreError, match=r"state.sqlite3: cannot be .*: unable to open database file"):
        Store.open(directory)
    (directory / FILE).rmdir()
    Store.open(directory).close()


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as a user without permissions: root needs none."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without permissions")
@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("gone", "lock: cannot be written: Permission denied"),
        ("writable", "attempt to write a readonly database"),
    ],
)
def test_a_read_only_store_is_refused(lock: str, message: str) -> None:
    """A read-only directory or file gives one clear line."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        Store.open(directory).close()
        if lock == "gone":
            (directory / "lock").unlink()
        else:
            (directory / "lock").chmod(0o666)
            (directory / FILE).chmod(0o644)
        with unprivileged(), pytest.raises(StoreError, match=message):
            Store.open(directory)
        Store.open(directory).close()


def damage(directory: Path, what: str) -> None:
    """Damage a closed store."""
    path = directory / FILE
    if what == "no database":
        path.write_bytes(b"This is text, not a database. " * 400)
    elif what == "torn pages":
        content = bytearray(path.read_bytes())
        content[4096:12288] = b"\xa5" * 8192
        path.write_bytes(content)
    else:
        tables = {"standing": "instances", "problems": "instances", "name": "names", "gone": "names"}
        table = tables.get(what, "pipelines")
        with sqlite3.connect(path) as connection:
            connection.create_function("flipped", 1, flipped)
            connection.execute(f"UPDATE {table} SET {what} = flipped({what})")
        connection.close()


def flipped(value: bytes | str | int | None) -> bytes | str | int:
    """Return a value of which one bit differs."""
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 64)
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    return (value or 0) ^ 1


@pytest.mark.parametrize(
    "what",
    [
        "no database",
        "torn pages",
        "history",
        "pipeline",
        "waiting",
        "vanished",
        "standing",
        "problems",
        "name",
        "gone",
    ],
)
def test_a_damaged_store_is_set_aside(directory: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    """Counting starts from 0, the old file is renamed, and the log says so."""
    many = {f"p{n}": a_history() for n in range(200)}
    changes = PollChanges("prod", standing(9), many, {"p1": 7}, {"p2": instant(8)}, b"some")
    for damaged in (False, True, True):
        if damaged:
            damage(directory, what)
        store = Store.open(directory)
        assert not store.load("prod").histories
        store.commit(changes.with_names(NO_NAMES, {PipelineName("p1", "some"): 5}))
        store.close()
    Store.open(directory).close()
    aside = sorted(directory.glob("state.sqlite3.damaged-*Z*"))
    assert len([path for path in aside if path.suffix not in {"-wal", "-shm"}]) >= 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert aside[0].name in caplog.text


def test_the_journal_goes_with_a_damaged_file(tmp_path: Path) -> None:
    """The journal is renamed too, and two renames of one second have different names."""
    for number in (b"1", b"2"):
        for suffix in ("", "-wal"):
            (tmp_path / f"{FILE}{suffix}").write_bytes(number)
        kept = sqlite_file.set_aside(tmp_path / FILE, "now")
        assert kept.read_bytes() == kept.with_name(f"{kept.name}-wal").read_bytes() == number
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_store_that_cannot_be_set_aside_is_an_error(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The damaged file is not overwritten."""
    Store.open(directory).close()
    damage(directory, "no database")

    def refuse(_: Path, __: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError, match=r"is damaged and cannot be set aside: Permission denied"):
        Store.open(directory)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA application_id = 4711", "another program's database"),
        ("PRAGMA application_id = 0", "another program's database"),
        (
            "PRAGMA user_version = 99",
            rf"another version of the exporter \(schema version 99, this one reads {sqlite_file.VERSION}\)",
        ),
    ],
)
def test_what_this_exporter_did_not_write_is_refused(directory: Path, statement: str, message: str) -> None:
    """A file of another program is neither renamed nor changed."""
    Store.open(directory).close()
    connection = sqlite3.connect(directory / FILE)
    connection.execute(statement)
    connection.close()
    before = (directory / FILE).read_bytes()
    with pytest.raises(StoreError, match=message):
        Store.open(directory)
    assert (directory / FILE).read_bytes() == before


def test_a_full_disk_is_an_error_and_nothing_is_written(store: Store) -> None:
    """What was stored stays; the same changes can be written later."""
    store.commit(PollChanges("prod", standing(1), {"a": a_history(2), "gone": a_history(2)}))
    before = store.load("prod")
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    many = {f"p{n}": a_history() for n in range(100)}
    gone = {"gone": a_history(2)}
    changes = PollChanges("prod", standing(2), many | gone, {"a": 7}, {"gone": instant(2)}, b"problems")
    with pytest.raises(StoreError, match=r"state.sqlite3: cannot be written: database or disk is full"):
        store.commit(changes)
    assert store.load("prod") == before
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(changes)
    found = store.load("prod")
    assert (found.standing, found.problems, found.waiting) == (standing(2), b"problems", {"a": 7})
    assert found.histories == {"a": a_history(2), **many}


def test_a_copy_that_does_not_fit_leaves_nothing_behind(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deleted file is not made again in part while the disk is full; once there is room, all is there."""
    many = {f"p{n}": a_history() for n in range(200)}
    store.commit(PollChanges("prod", standing(1), many))
    (directory / FILE).unlink()
    opened = sqlite_file._opened

    def small(path: Path) -> sqlite3.Connection:
        connection = opened(path)
        connection.execute("PRAGMA max_page_count = 3")
        return connection

    with monkeypatch.context() as full:
        full.setattr(sqlite_file, "_opened", small)
        for at in (2, 3, 4):
            with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
                store.commit(PollChanges("prod", standing(at)))
            assert [path.name for path in directory.iterdir()] == ["lock"]
    store.commit(PollChanges("prod", standing(5)))
    assert not list(directory.glob("*.damaged-*"))
    found = store.load("prod")
    assert (found.standing, found.histories) == (standing(5), many)


def test_a_row_that_is_damaged_later_is_an_error(store: Store) -> None:
    """A damaged row is not used."""
    store.commit(PollChanges("prod", standing(1), {"a": a_history()}))
    store._connection.create_function("flipped", 1, flipped)
    store._connection.execute("UPDATE pipelines SET history = flipped(history)")
    with pytest.raises(StoreError, match="cannot be read: the checksum of a row is wrong"):
        store.load("prod")
    with pytest.raises(StoreError, match="cannot be read: the checksum of a row is wrong"):
        store.recall("prod", ["a"])


def test_a_file_out_of_reach_is_an_error(store: Store) -> None:
    """Loading and recalling give one line."""
    store._connection.execute("DROP TABLE pipelines")
    with pytest.raises(StoreError, match="cannot be read: no such table"):
        store.load("prod")
    with pytest.raises(StoreError, match="cannot be read: no such table"):
        store.recall("prod", ["a"])


def test_thousands_of_pipelines(directory: Path) -> None:
    """All pipelines are there after a restart."""
    store = Store.open(directory)
    store.commit(PollChanges("prod", standing(1), {f"{n:036d}": a_history(12) for n in range(THOUSANDS)}))
    store.close()
    store = Store.open(directory)
    assert len(store.load("prod").histories) == THOUSANDS
    store.close()


@pytest.mark.parametrize("column", ["instance", "pipeline"])
def test_a_text_that_is_not_utf8_is_damage(directory: Path, column: str) -> None:
    """The file is renamed, and the exporter starts."""
    store = Store.open(directory)
    store.commit(PollChanges("prod", standing(1), {"a": a_history()}))
    store.close()
    with sqlite3.connect(directory / FILE) as connection:
        connection.execute(f"UPDATE pipelines SET {column} = CAST(x'ff' AS TEXT)")
    connection.close()
    store = Store.open(directory)
    assert store.load("prod").histories == {}
    store.close()
    assert list(directory.glob(f"{FILE}.damaged-*"))


def test_a_file_that_took_the_place_of_an_open_store_is_kept(directory: Path) -> None:
    """Such a file is renamed, and the open store is written again."""
    store = Store.open(directory)
    store.commit(PollChanges("prod", standing(1), {"a": a_history(1)}))
    (directory / FILE).unlink()
    (directory / FILE).write_bytes(b"a backup")
    store.commit(PollChanges("prod", standing(2), {"b": a_history(2)}))
    store.close()
    assert b"a backup" in [kept.read_bytes() for kept in directory.glob(f"{FILE}.damaged-*")]
    store = Store.open(directory)
    assert set(store.load("prod").histories) == {"a", "b"}
    store.close()


@pytest.mark.parametrize("deleted", [(FILE,), (FILE, f"{FILE}-wal", f"{FILE}-shm"), (FILE, "lock")])
def test_a_store_deleted_while_open_is_made_again(directory: Path, deleted: tuple[str, ...]) -> None:
    """The next commit writes all values, and the lock holds again."""
    store = Store.open(directory)
    store.commit(PollChanges("prod", standing(1), {"a": a_history()}))
    for name in deleted:
        (directory / name).unlink()
    store.commit(PollChanges("prod", standing(2), {"b": a_history()}))
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    with pytest.raises(StoreError, match="in use"):
        Store.open(directory)
    store.close()
    again = Store.open(directory)
    assert again.load("prod").histories.keys() == {"a", "b"}
    again.close()
