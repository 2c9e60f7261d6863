"""Where the configuration comes from: a YAML file, or the environment of Feldera's official client."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.config import validators
from feldera_exporter.config.checks import Environment
from feldera_exporter.config.conversion import structure
from feldera_exporter.config.errors import Mistake, Place, RefusedError, in_order, shown
from feldera_exporter.config.proxies import proxy_mistakes
from feldera_exporter.config.schema import Configuration
from feldera_exporter.config.yaml_document import parse
from feldera_exporter.errors import ConfigError

# The client (feldera `rest/config.py`, `rest/_helpers.py`) reads these.
_PLACES: Final[Mapping[Place, str]] = MappingProxyType(
    {
        ("instances", 0, "url"): "FELDERA_HOST",
        ("instances", 0, "api_key"): "FELDERA_API_KEY",
        ("instances", 0, "api_key_file"): "FELDERA_API_KEY_FILE",
        ("instances", 0, "tls", "insecure_skip_verify"): "FELDERA_TLS_INSECURE",
        ("instances", 0, "tls", "ca_file"): "FELDERA_HTTPS_TLS_CERT",
    }
)
_FLAGS: Final = MappingProxyType(
    {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
)


_TLS_FILES: Final[tuple[tuple[Place, tuple[str, ...]], ...]] = (
    (("tls",), ("ca_file",)),
    (("tls",), ("cert_file", "key_file")),
)
_INSTANCE_FILES: Final = (((), ("api_key_file",)), *_TLS_FILES)
"""The keys of an instance that name files, by what is of no use without each other."""
_IDENTITIES: Final = {"basic_auth": "password_file", "authorization": "credentials_file"}
"""The keys of Alertmanager that are of no use without a file, with the key that names it."""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    families: Collection[str],
    alerts: Collection[str],
    elsewhere: list[str] | None = None,
) -> Configuration:
    """Return the configuration of a file, or without one that of the environment.

    Args:
        path: the YAML file; the paths in it are relative to its folder.
        environ: the environment; where there is a file, only the proxies are read of it.
        families: the names of all metric families, which `metrics.exclude` may name.
        alerts: the names of all alerts, which `alerts` may name.
        elsewhere: takes a line for each file that cannot be read, as on another machine, and counts as not named; where
            it is None, each is a mistake.

    Raises:
        ConfigError: with every mistake found, in the order of their places, and no secret.
    """
    if path is None:
        return from_environment(environ)
    try:
        text = path.read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise ConfigError(f"{path}: found no file that can be read ({found}), expected YAML") from None
    try:
        document = parse(text)
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {mistake}" for mistake in error.mistakes)) from None
    if elsewhere is not None:
        elsewhere += map(str, _taken_out(document.tree, path.parent))
    configuration, mistakes = structure(document.tree, Environment(path.parent, families, alerts))
    instances = configuration.instances if configuration is not None else ()
    named = [f"{path}: {mistake}" for mistake in in_order([*document.repeated, *mistakes])]
    named += map(str, proxy_mistakes(instances, environ))
    if configuration is None or named:
        raise ConfigError(*named)
    return configuration


def _taken_out(tree: Any, folder: Path) -> Iterator[Mistake]:
    """Take the files that cannot be read out of a document, whatever else is wrong in it, and yield what was found."""
    document = tree if isinstance(tree, dict) else {}
    instances, alertmanager = document.get("instances"), document.get("alertmanager")
    for index, instance in enumerate(instances if isinstance(instances, list) else ()):
        yield from _taken_out_of(instance, ("instances", index), _INSTANCE_FILES, folder)
    yield from _taken_out_of(alertmanager, ("alertmanager",), _TLS_FILES, folder)
    alertmanager = alertmanager if isinstance(alertmanager, dict) else {}
    for key, file in _IDENTITIES.items():
        holder = alertmanager.get(key)
        if isinstance(holder, dict) and (error := _unreadable(holder.get(file), folder)):
            del alertmanager[key]
            yield Mistake(("alertmanager", key, file), str(error))


def _taken_out_of(
    value: Any, root: Place, files: Iterable[tuple[Place, tuple[str, ...]]], folder: Path
) -> Iterator[Mistake]:
    for place, keys in files:
        holder = value
        for step in place:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict):
            continue
        refused = {key: error for key in keys if (error := _unreadable(holder.get(key), folder))}
        for key in keys if refused else ():
            holder.pop(key, None)
        yield from (Mistake((*root, *place, key), str(error)) for key, error in refused.items())


def _unreadable(value: Any, folder: Path) -> RefusedError | None:
    """Return what is to be said of a file that cannot be read; of what can be no file at all, nothing."""
    if not isinstance(value, str) or "\0" in value or os.access(folder / value, os.R_OK):
        return None
    try:
        validators.file(value, folder)
    except RefusedError as error:
        return error
    return None


def from_environment(environ: Mapping[str, str]) -> Configuration:
    """Return one instance named `default`, configured as Feldera's official client is.

    `FELDERA_HOST` is its address, `FELDERA_API_KEY` its key or `FELDERA_API_KEY_FILE` the file that holds it (the exporter's
    own variable, read again when it changes), `FELDERA_HTTPS_TLS_CERT` a file of certificates to
    trust; `FELDERA_TLS_INSECURE` (1, true or yes) accepts any certificate, unless that file is set. An empty variable is
    as good as none.

    Raises:
        ConfigError: `FELDERA_HOST` is missing, or a variable is wrong; the mistake names the variable.
    """
    if not environ.get("FELDERA_HOST"):
        raise ConfigError(
            "FELDERA_HOST: found nothing and no configuration file either, "
            "expected --config.file or the address of Feldera such as http://localhost:8080"
        )
    insecure = environ.get("FELDERA_TLS_INSECURE", "").strip()
    ca_file = environ.get("FELDERA_HTTPS_TLS_CERT") or None
    instance: dict[str, Any] = {
        "name": "default",
        "url": environ["FELDERA_HOST"],
        # As in a file, blanks around the key do not count: a Secret is often made with `echo`.
        "api_key": environ.get("FELDERA_API_KEY", "").strip() or None,
        "api_key_file": environ.get("FELDERA_API_KEY_FILE") or None,
        "tls": {
            "ca_file": ca_file,
            "insecure_skip_verify": _FLAGS.get(insecure.lower(), False) and ca_file is None,
        },
    }
    configuration, mistakes = structure({"instances": [instance]}, Environment(Path(), (), ()))
    if insecure.lower() not in _FLAGS:
        place = ("instances", 0, "tls", "insecure_skip_verify")
        found = f"found {shown(insecure)}, expected 1, true or yes, or 0, false or no"
        mistakes.append(Mistake(place, found))
    named = [Mistake((_PLACES[place],), text) for place, text in mistakes]
    named += proxy_mistakes(configuration.instances if configuration is not None else (), environ)
    if configuration is None or named:
        raise ConfigError(*sorted(map(str, named)))
    return configuration
