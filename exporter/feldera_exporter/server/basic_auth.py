"""Basic authentication (RFC 7617): passwords are compared with bcrypt hashes in a thread."""

import asyncio
import base64
import hashlib
import os
from collections.abc import Mapping
from typing import Final

import bcrypt

from feldera_exporter.config import Secret

_KEPT: Final = 100
"""Results of each kind that are cached, as in the exporter-toolkit."""
_WAITING: Final = 8
"""Passwords that wait to be compared at most; each comparison takes a part of a second."""
_LONGEST: Final = 72
"""Bytes of a password that bcrypt uses; the toolkit ignores the others too."""


class Passwords:
    """Compares passwords, one at a time, and caches the results."""

    def __init__(self) -> None:
        self._salt = os.urandom(32)
        # By result: many wrong passwords must not evict a right one.
        self._verdicts: dict[bool, dict[bytes, None]] = {True: {}, False: {}}
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def accepts(self, users: Mapping[str, Secret], header: str) -> bool | None:
        """Return whether an `Authorization` header has a user's password; None where too many comparisons wait.

        An unknown name takes as long as a wrong password.

        Args:
            users: the hash of each password by name; at least one.
            header: the value of the header; empty without one.
        """
        who = _credentials(header)
        if who is None:
            return False
        name, password = who
        hashed = users.get(name, next(iter(users.values()))).reveal().encode()
        # A keyed hash, so that the cache holds no password.
        known = hashlib.blake2b(repr((name, password, hashed)).encode(), key=self._salt).digest()
        for verdict, digests in self._verdicts.items():
            if known in digests:
                return verdict
        if self._waiting >= _WAITING:
            return None
        self._waiting += 1
        try:
            async with self._turn:
                right = await asyncio.to_thread(_matches, password, hashed) and name in users
        finally:
            self._waiting -= 1
        digests = self._verdicts[right]
        digests[known] = None
        if len(digests) > _KEPT:
            del digests[next(iter(digests))]
        return right


def _credentials(header: str) -> tuple[str, bytes] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except ValueError:
        # No base64, other characters than ASCII, or a name that is no UTF-8.
        return None


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST], hashed)
    except ValueError:
        return False
