"""The page about the configuration, `docs/configuration.md`: every key with its type, its default and its meaning, from the schema."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from feldera_exporter.config import validators
from feldera_exporter.config.schema import DEFAULT_TAG_LABELS, Configuration
from feldera_exporter.units import format_duration, format_size


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes:
        name: in words.
        example: a value, as it is written in YAML.
    """

    name: str
    example: str


KINDS: Final[Mapping[Callable[..., Any], Kind]] = MappingProxyType(
    {
        validators.duration: Kind("duration", "5m"),
        validators.interval: Kind("duration, at least 100ms", "5s"),
        validators.limit: Kind("duration or `none`", "10m"),
        validators.size: Kind("size, at least 64KiB", "64MiB"),
        validators.flag: Kind("boolean", "true"),
        validators.name: Kind("name", "prod"),
        validators.url: Kind("URL", "https://feldera.example.com"),
        validators.alertmanager_url: Kind("URL", "http://alertmanager:9093"),
        validators.status: Kind("status", "Provisioning"),
        validators.label: Kind("label name", "owner"),
        validators.family: Kind("metric family", "feldera_pipeline_storage_status"),
        validators.username: Kind("string", "exporter"),
        validators.secret: Kind("secret", "…"),
        validators.header_name: Kind("header name", "X-Proxy-Token"),
        validators.file: Kind("file", "/etc/feldera-exporter/FILE"),
        validators.expression: Kind("regular expression", "etl-.*"),
        validators.alert: Kind("alert name", "FelderaPipelineFlapping"),
        validators.severity: Kind("severity", "critical"),
        validators.shipped_severity: Kind("critical, warning or info", "critical"),
        validators.non_empty_text: Kind("word", "page"),
        validators.text: Kind("string", "night"),
        validators.tag_expression: Kind("regular expression with one group", "team[:=](.+)"),
    }
)
"""Every kind, by what reads it."""

_EXAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "instances[].api_key": "apikey:…",
        "tag_labels.<label name>": '{owner: "owner[:=](.+)"}',
        "alerts.<alert name>.labels.<label name>": '{route: "night"}',
        "alert_labels.<label name>": '{namespace: "feldera"}',
        "alertmanager.labels.<label name>": '{cluster: "prod"}',
    }
)
"""Examples that say more than those of their kind, by key."""

_ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_INTRODUCTION: Final = """\
# Configuration

The exporter is configured by a file (`--config.file`), or for a single instance by the environment. Its flags are listed by
`feldera-exporter run --help`. `feldera-exporter check` names every mistake, and tries the connections.

SIGHUP reads the file again; with `--web.enable-lifecycle`, `POST /-/reload` does so too. A reload that fails keeps the running
configuration. Files with API keys, certificates or passwords are read again without a reload.

## File

[config/exporter.yml](../config/exporter.yml), which `feldera-exporter config` prints, has every key with its default. Only
`name` and `url` of an instance are required. Unknown keys, wrong types and impossible values are refused, each with its place,
what was found and what was expected.

Durations are written as in Prometheus (`250ms`, `5s`, `1h30m`), sizes as `10MB` or `64MiB`. Relative paths start at the folder of
the file. Regular expressions must match the whole name or tag. `[]` stands for each element of a list, `<…>` for a key that you
choose.

| key | type | default | example | meaning |
|---|---|---|---|---|
"""
_ENVIRONMENT: Final = """
## Environment

Without a file, these variables configure one instance with the name `default`. They mean the same as for Feldera's own Python
client, which only does not know `FELDERA_API_KEY_FILE`.

| variable | meaning |
|---|---|
| `FELDERA_HOST` | Feldera's address; required. |
| `FELDERA_API_KEY` | The API key; the role `read` is enough. |
| `FELDERA_API_KEY_FILE` | A file with the API key, instead of `FELDERA_API_KEY`; read again when it changes. |
| `FELDERA_HTTPS_TLS_CERT` | A file with certificates (PEM) of authorities to trust instead of the system's. |
| `FELDERA_TLS_INSECURE` | `1`, `true` or `yes` accepts any certificate, unless `FELDERA_HTTPS_TLS_CERT` is set. |

With a file or without, `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` name proxies, and `NO_PROXY` names the domains, addresses and
networks without one; the lower case is possible as well.
"""


def page() -> str:
    """Return the page, as Markdown."""
    return (
        _INTRODUCTION + "".join(f"| {' | '.join(row)} |\n" for row in _rows(Configuration, "")) + _ENVIRONMENT
    )


Row = tuple[str, str, str, str, str]


def _rows(section: type, path: str) -> Iterator[Row]:
    """Yield the rows of the keys of a section, which begin with a path."""
    meanings = _meanings(section)
    hints = get_type_hints(section, include_extras=True)
    for field in fields(section):
        yield from _key(f"{path}{field.name}", hints[field.name], _default(field), meanings[field.name])


def _key(path: str, hint: Any, default: str, meaning: str) -> Iterator[Row]:
    """Yield the row of a key, or those of the keys below it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        [inner] = [each for each in arguments if each is not type(None)]
        yield from _key(path, inner, default, meaning)
    elif isinstance(hint, type) and is_dataclass(hint):
        yield from _rows(hint, f"{path}.")
    elif origin is tuple and isinstance(arguments[0], type):
        yield from _rows(arguments[0], f"{path}[].")
    elif origin is tuple:
        kind = _kind(arguments[0])
        yield _row(path, f"list, each a {kind.name}", default, f'["{kind.example}"]', meaning)
    elif origin is not Annotated:
        name, value = _kind(arguments[0]), arguments[1]
        if isinstance(value, type):
            yield from _rows(value, f"{path}.<{name.name}>.")
        else:
            example = f'{{{name.example}: "{_kind(value).example}"}}'
            yield _row(f"{path}.<{name.name}>", _kind(value).name, default, example, meaning)
    else:
        yield _row(path, _kind(hint).name, default, _kind(hint).example, meaning)


def _row(path: str, kind: str, default: str, example: str, meaning: str) -> Row:
    return f"`{path}`", kind, default, f"`{_EXAMPLES.get(path, example)}`", meaning


def _kind(hint: Any) -> Kind:
    return KINDS[hint.__metadata__[0]]


def _meanings(section: type) -> dict[str, str]:
    """Return what the docstring says of each key."""
    text = inspect.getdoc(section) or ""
    # In the configuration a duration has its unit, and a size too.
    return {
        name: _sentence(re.sub(r",? in (seconds|bytes)\b", "", " ".join(words.split())))
        for name, words in _ATTRIBUTE.findall(text)
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _default(field: "Field[Any]") -> str:
    """Return a default as it is written in YAML, empty for none."""
    value = field.default_factory() if field.default_factory is not MISSING else field.default
    if value is MISSING:
        return "required"
    text = ""
    match value:
        case bool():
            text = str(value).lower()
        case float():
            text = format_duration(value)
        case int():
            text = format_size(value)
        case tuple():
            text = "[" + ", ".join(f'"{each.pattern}"' for each in value) + "]"
        case Mapping() if value == DEFAULT_TAG_LABELS:
            return ", ".join(f"`{label}`" for label in value)
        case Mapping() if value:
            return "see config/exporter.yml"
    return f"`{text}`" if text else ""
