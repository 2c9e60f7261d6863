"""Which files with secrets, and which store, every user of this machine may read."""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from feldera_exporter.config import Alertmanager, Configuration, Secret


def readable_by_all(configuration: Configuration, file: Path | None, storage: Path | None) -> Iterator[str]:
    """Yield a line for each, which begins with the place in the configuration or with the flag.

    Args:
        configuration: names files.
        file: the configuration's own, which may hold secrets itself; None for the environment.
        storage: the directory of the store, None where there is none.
    """
    if file is not None and _is_readable(file) and _has_secret(configuration):
        yield f"--config.file: every user of this machine may read {file}, which holds a secret"
    for place, path in _secret_files(configuration):
        if path is not None and _is_readable(path):
            yield f"{place}: every user of this machine may read {path}"
    if storage is not None and _is_readable(storage):
        yield f"--storage.path: every user of this machine may read {storage}"


def _secret_files(configuration: Configuration) -> Iterator[tuple[str, Path | None]]:
    for index, instance in enumerate(configuration.instances):
        yield f"instances[{index}].api_key_file", instance.api_key_file
        yield f"instances[{index}].tls.key_file", instance.tls.key_file
    if configuration.alertmanager is not None:
        yield from _alertmanagers(configuration.alertmanager)


def _alertmanagers(alertmanager: Alertmanager) -> Iterator[tuple[str, Path | None]]:
    yield "alertmanager.tls.key_file", alertmanager.tls.key_file
    if alertmanager.basic_auth is not None:
        yield "alertmanager.basic_auth.password_file", alertmanager.basic_auth.password_file
    if alertmanager.authorization is not None:
        yield "alertmanager.authorization.credentials_file", alertmanager.authorization.credentials_file


def _has_secret(value: object) -> bool:
    """Return whether a part of the configuration holds a secret itself."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, tuple):
        return any(_has_secret(each) for each in value)
    if isinstance(value, Mapping):
        return any(_has_secret(each) for each in value.values())
    if is_dataclass(value):
        return any(_has_secret(getattr(value, each.name)) for each in fields(value))
    return False


def _is_readable(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
