"""The lock of a store: one process at a time. The kernel releases it when the process ends."""

import fcntl
import os
from pathlib import Path

from feldera_exporter.errors import StoreError

_NAME = "lock"


def acquire(directory: Path, held: int | None = None) -> int:
    """Lock a store's directory for this process.

    Args:
        directory: that of the store; it must exist.
        held: the descriptor of a lock that this process holds; it is returned if its file is still there.

    Returns:
        A file descriptor that holds the lock until it is closed.

    Raises:
        StoreError: another process holds it, or the directory cannot be written.
    """
    path = directory / _NAME
    if held is not None and path.exists() and os.path.samestat(path.stat(), os.fstat(held)):
        return held
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}; the store needs a writable directory"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        who = f"process {owner}" if owner.isdigit() else "another process"
        raise StoreError(f"{directory}: in use by {who}; each exporter needs its own directory") from error
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"{path}: cannot be locked: {error.strerror}") from error
    return descriptor
