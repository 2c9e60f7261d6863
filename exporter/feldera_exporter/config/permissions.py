"""Which files with secrets, and which store, every user of this machine may read."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from feldera_exporter.config import Configuration, Secret
from feldera_exporter.config.errors import path as place_text
from feldera_exporter.config.values_with_places import leaves

_SECRET_FILES: Final = frozenset({"api_key_file", "key_file", "password_file", "credentials_file"})
"""The keys of the configuration that name files with secrets."""


def readable_by_all(configuration: Configuration, file: Path | None, storage: Path | None) -> Iterator[str]:
    """Yield a line for each, which begins with the place in the configuration or with the flag."""
    found = list(leaves(configuration))
    has_secret = any(isinstance(value, Secret) for _, value in found)
    if file is not None and has_secret and _is_readable(file):
        yield f"--config.file: every user of this machine may read {file}, which holds a secret"
    for place, path in found:
        if isinstance(path, Path) and place[-1] in _SECRET_FILES and _is_readable(path):
            yield f"{place_text(place)}: every user of this machine may read {path}"
    if storage is not None and _is_readable(storage):
        yield f"--storage.path: every user of this machine may read {storage}"


def _is_readable(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
