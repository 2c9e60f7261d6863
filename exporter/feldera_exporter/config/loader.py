"""Loads the configuration from a YAML file, or from the environment variables of Feldera's official client."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from feldera_exporter.config.conversion import Context, structured
from feldera_exporter.config.errors import Mistake, Place
from feldera_exporter.config.proxies import proxy_mistakes
from feldera_exporter.config.schema import Configuration
from feldera_exporter.config.yaml_document import read
from feldera_exporter.errors import ConfigError

# The client (feldera `rest/config.py`, `rest/_helpers.py`) reads these.
_VARIABLES: Final[Mapping[Place, str]] = {
    ("instances", 0, "url"): "FELDERA_HOST",
    ("instances", 0, "api_key"): "FELDERA_API_KEY",
    ("instances", 0, "api_key_file"): "FELDERA_API_KEY_FILE",
    ("instances", 0, "tls", "ca_file"): "FELDERA_HTTPS_TLS_CERT",
}
_YES: Final = frozenset({"1", "true", "yes"})


def load(
    path: Path | None,
    environ: Mapping[str, str],
    families: Collection[str],
    alerts: Collection[str],
    *,
    files: bool = True,
) -> Configuration:
    """Return the configuration of a file; without a file, that of the environment.

    Args:
        path: the YAML file; relative paths in it start at its folder.
        environ: the environment; if there is a file, only the proxies are read from it.
        families: the names of all metric families, which `metrics.exclude` may name.
        alerts: the names of all alerts, which `alerts` may name.
        files: whether the files that it names must be readable; False if they may be on another machine.

    Raises:
        ConfigError: with every mistake found, and no secret.
    """
    if path is None:
        return from_environment(environ)
    document = read(path)
    context = Context(path.parent, families, alerts, files)
    configuration, mistakes = structured(document.tree, Configuration, context)
    instances = configuration.instances if configuration is not None else ()
    named = [f"{path}: {mistake}" for mistake in (*document.repeated, *mistakes)]
    named += map(str, proxy_mistakes(instances, environ))
    if configuration is None or named:
        raise ConfigError(*named)
    return configuration


def from_environment(environ: Mapping[str, str]) -> Configuration:
    """Return one instance named `default`, configured as Feldera's official client is.

    `FELDERA_HOST` is its address, `FELDERA_API_KEY` its API key or `FELDERA_API_KEY_FILE` a file with the API key (only the
    exporter knows this variable), `FELDERA_HTTPS_TLS_CERT` a file of certificates to trust. `FELDERA_TLS_INSECURE` (1, true
    or yes) accepts any certificate, unless that file is set. An empty variable counts as not set.

    Raises:
        ConfigError: `FELDERA_HOST` is missing, or a variable is wrong; the mistake names the variable.
    """
    if not environ.get("FELDERA_HOST"):
        raise ConfigError(
            "FELDERA_HOST: found nothing and no configuration file either, "
            "expected --config.file or the address of Feldera such as http://localhost:8080"
        )
    insecure = environ.get("FELDERA_TLS_INSECURE", "").strip().lower() in _YES
    ca_file = environ.get("FELDERA_HTTPS_TLS_CERT") or None
    instance: dict[str, Any] = {
        "name": "default",
        "url": environ["FELDERA_HOST"],
        # As in a file, blanks around the key do not count: a Secret is often made with `echo`.
        "api_key": environ.get("FELDERA_API_KEY", "").strip() or None,
        "api_key_file": environ.get("FELDERA_API_KEY_FILE") or None,
        "tls": {"ca_file": ca_file, "insecure_skip_verify": insecure and ca_file is None},
    }
    configuration, mistakes = structured({"instances": [instance]}, Configuration, Context(Path()))
    named = [Mistake((_VARIABLES[mistake.place],), mistake.text) for mistake in mistakes]
    named += proxy_mistakes(configuration.instances if configuration is not None else (), environ)
    if configuration is None or named:
        raise ConfigError(*map(str, named))
    return configuration
