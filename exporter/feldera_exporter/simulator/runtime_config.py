"""A pipeline's `runtime_config`: its defaults, and how each version spells its settings (feldera-types `config.rs`).

Inside the stand-in a configuration has the newest spelling, whatever it was written in.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.versions import Fact, Version, has

Config = dict[str, Any]

_DURATION_UNITS: Final[Mapping[str, int]] = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""In nanoseconds, the longest first."""

_SIZE_UNITS: Final[Mapping[str, int]] = {
    **{f"{prefix}i": 1 << 10 * power for power, prefix in enumerate("KMGTPE", 1)},
    **{prefix: 10 ** (3 * power) for power, prefix in enumerate("kMGTPE", 1)},
}
"""In bytes; where two fit equally well, the first is written."""

_TERM: Final = re.compile(r"(\d+\.?\d*|\.\d+)(d|h|ms|m|s|us|µs|μs|ns)")
_SIZE: Final = re.compile(r"(\d+\.?\d*|\.\d+)([KMGTPE]i|[kMGTPE])?(B?)")

_RESERVED: Final = re.compile(r"(FELDERA_|KUBERNETES_|TOKIO_).*|HOSTNAME|RUST_LOG")
"""The variables of a process's environment that are Feldera's own."""


class _Setting(NamedTuple):
    """A setting that was a bare number once.

    Attributes:
        group: the object it is in; empty: the configuration itself.
        name: its name now.
        old: its name before, still accepted.
        renamed: since when it has the new name.
        per: nanoseconds or bytes in one of what the bare number counts.
        unset: what versions before answer where it is not set.
    """

    group: str
    name: str
    old: str
    renamed: Fact
    per: int
    unset: int | None = None


_SETTINGS: Final = (
    _Setting("", "provisioning_timeout", "provisioning_timeout_secs", Fact.DURATIONS, 1_000_000_000),
    _Setting("", "clock_resolution", "clock_resolution_usecs", Fact.DURATIONS, 1_000, 1_000_000),
    _Setting("", "max_buffering_delay", "max_buffering_delay_usecs", Fact.DURATIONS, 1_000, 0),
    _Setting(
        "fault_tolerance",
        "checkpoint_interval",
        "checkpoint_interval_secs",
        Fact.DURATIONS,
        1_000_000_000,
        60,
    ),
    _Setting("", "max_rss", "max_rss_mb", Fact.SIZES, 10**6),
    _Setting("", "datafusion_memory", "datafusion_memory_mb", Fact.SIZES, 10**6),
    _Setting("resources", "memory_min", "memory_mb_min", Fact.SIZES, 10**6),
    _Setting("resources", "memory_max", "memory_mb_max", Fact.SIZES, 10**6),
    _Setting("resources", "storage_max", "storage_mb_max", Fact.SIZES, 10**6),
    _Setting("storage", "cache_size", "cache_mib", Fact.SIZES, 1 << 20),
    _Setting("storage", "min_spill_size", "min_storage_bytes", Fact.SIZES, 1),
    _Setting("storage", "min_step_spill_size", "min_step_storage_bytes", Fact.SIZES, 1),
)

DEFAULTS: Final[Config] = {
    "workers": 8,
    "hosts": 1,
    "storage": {"backend": {"name": "default"}, "compression": "default", "compression_level": None},
    "fault_tolerance": {"model": "none"},
    "cpu_profiler": True,
    "tracing": False,
    "tracing_endpoint_jaeger": "127.0.0.1:6831",
    "min_batch_size_records": 0,
    "resources": {
        "cpu_cores_min": None,
        "cpu_cores_max": None,
        "storage_class": None,
        "service_account_name": None,
        "namespace": None,
    },
    "clock_timezone_offset": None,
    "pin_cpus": [],
    "max_parallel_connector_init": None,
    "init_containers": None,
    "checkpoint_during_suspend": True,
    "http_workers": None,
    "io_workers": None,
    "env": {},
    "dev_tweaks": {},
    "logging": None,
    "pipeline_template_configmap": None,
}
"""A configuration in which nothing is set; never changed, only copied."""

_GIVEN: Final[Mapping[str, Config]] = {
    "storage": DEFAULTS["storage"],
    "resources": DEFAULTS["resources"],
    "fault_tolerance": {"model": "exactly_once"},
}
"""What the groups have besides what is set of them; fault tolerance that is named at all is switched on."""


def canonical(given: Mapping[str, Any]) -> Config:
    """Return a configuration as it was written, in the newest spelling and with its defaults.

    Raises:
        ApiError: 400, a duration or a size is none, or a reserved variable of the environment is set.
    """
    if not given:
        return DEFAULTS
    config = {**DEFAULTS, **{key: given[key] for key in DEFAULTS.keys() & given}}
    for group, defaults in _GIVEN.items():
        if isinstance(given.get(group), Mapping):
            config[group] = {**defaults, **given[group]}
    for setting in _SETTINGS:
        source = given.get(setting.group) if setting.group else given
        if isinstance(source, Mapping):
            target = config[setting.group] if setting.group else config
            for name in (setting.old, setting.name):
                if name in source:
                    _set(target, setting, source[name], given)
    reserved = ", ".join(name for name in config["env"] if _RESERVED.fullmatch(name))
    if reserved:
        reason = f"the following environment variable(s) are reserved and cannot be overridden: {reserved}"
        raise refusal("InvalidRuntimeConfig", value=given, error=reason)
    return config


def _set(target: Config, setting: _Setting, value: Any, given: Mapping[str, Any]) -> None:
    """Set one setting from a value of either spelling; null unsets it, and with checkpoints it means never."""
    target.pop(setting.old, None)
    if value is None and setting.name != "checkpoint_interval":
        target.pop(setting.name, None)
        return
    try:
        target[setting.name] = None if value is None else _text(setting, _base(setting, value))
    except ValueError as error:
        raise refusal("InvalidRuntimeConfig", value=given, error=f"{setting.name}: {error}") from None


def spelled(config: Mapping[str, Any], version: Version) -> Config:
    """Return a configuration as a version answers it."""
    shown = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
    if not has(version, Fact.COMPRESSION_LEVEL) and shown["storage"] is not None:
        shown["storage"].pop("compression_level", None)
    for setting in _SETTINGS:
        group = shown[setting.group] if setting.group else shown
        if has(version, setting.renamed) or group is None:
            continue
        value = group.pop(setting.name, setting.unset)
        group[setting.old] = _base(setting, value) // setting.per if isinstance(value, str) else value
    return shown


def resources(given: Mapping[str, Any]) -> Config:
    """Return the resources that can change while a pipeline runs (`DynamicResources`), and which are wanted.

    Raises:
        ApiError: 400, a size is none, or a minimum is above its maximum.
    """
    wanted = canonical({"resources": dict(given)})["resources"]
    shown: Config = {}
    for kind, amount in (("cpu_cores", float), ("memory", size_in_bytes)):
        least, most = (wanted.get(f"{kind}_{bound}") for bound in ("min", "max"))
        if least is not None and most is not None and amount(least) > amount(most):
            reason = f"{kind}_min ({least}) exceeds {kind}_max ({most})"
            raise refusal("InvalidDeploymentPatch", reason=reason)
        shown |= {f"{kind}_min": least, f"{kind}_max": most}
    return shown


def provisioning_seconds(config: Mapping[str, Any]) -> float | None:
    """Return a pipeline's own provisioning timeout in seconds; None where it has none."""
    text = config.get("provisioning_timeout")
    return None if text is None else nanoseconds(text) / 1_000_000_000


def nanoseconds(text: str) -> int:
    """Return "1h30m" in nanoseconds: Go's syntax, and days.

    Raises:
        ValueError: it is no duration.
    """
    terms = _TERM.findall(text)
    if text != "0" and (not terms or "".join(map("".join, terms)) != text):
        raise ValueError(f"found {text!r}, expected a duration such as 30s or 1h30m")
    return sum(
        round(float(number) * _DURATION_UNITS[unit.replace("µ", "u").replace("μ", "u")])
        for number, unit in terms
    )


def size_in_bytes(text: str, *, bare: bool = False) -> int:
    """Return "16Gi" in bytes; a number without a unit only where it always meant bytes.

    Raises:
        ValueError: it is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None or not (bare or match[2] or match[3]):
        raise ValueError(f"found {text!r}, expected a size such as 512Mi or 16Gi")
    return round(float(match[1]) * _SIZE_UNITS.get(match[2] or "", 1))


def _base(setting: _Setting, value: Any) -> int:
    """Return a setting's value in nanoseconds or bytes."""
    if isinstance(value, str):
        is_duration = setting.renamed is Fact.DURATIONS
        return nanoseconds(value) if is_duration else size_in_bytes(value, bare=setting.per == 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"found {value!r}, expected a text or a whole number")
    return value * setting.per


def _text(setting: _Setting, base: int) -> str:
    """Return nanoseconds or bytes as the newest versions write them."""
    return _duration(base) if setting.renamed is Fact.DURATIONS else _size(base)


def _duration(rest: int) -> str:
    terms = []
    for unit, length in _DURATION_UNITS.items():
        count, rest = divmod(rest, length)
        terms += [f"{count}{unit}"] * bool(count)
    return "".join(terms) or "0s"


def _size(size: int) -> str:
    fitting = [(size // length, unit) for unit, length in _SIZE_UNITS.items() if size and size % length == 0]
    count, unit = min(fitting, key=lambda choice: choice[0], default=(size, "B"))
    return f"{count}{unit}"
