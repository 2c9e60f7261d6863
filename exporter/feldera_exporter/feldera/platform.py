"""What Feldera reports about itself: version, tenant, license and the health of its services.

Shapes: `GET /v0/config` (pipeline-manager `api/endpoints/config.rs`), `GET /v0/config/session`,
`GET /v0/cluster_healthz` (`cluster_health.rs`), the license as `feldera-cloud1-client` serializes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import msgspec

from feldera_exporter.feldera import label_variants
from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.statuses import SERVICES
from feldera_exporter.feldera.wire import Instant, Text
from feldera_exporter.micros import Micros, from_datetime

_VERSION: Final = re.compile(r"(\d{1,6})\.(\d{1,6})", re.ASCII)
_EVENT_LOG_SINCE: Final = (0, 292)


class _Existing(msgspec.Struct, frozen=True, gc=False):
    current: Instant
    valid_until: Instant | None = None
    # Absent unless it is true.
    is_dev: bool = False


class _License(msgspec.Struct, frozen=True, gc=False):
    existing: _Existing | None = msgspec.field(default=None, name="Exists")


class _Config(msgspec.Struct, frozen=True, gc=False):
    version: Text
    edition: Text = ""
    revision: Text = ""
    license_validity: _License | None = None


class _Session(msgspec.Struct, frozen=True, gc=False):
    tenant_name: Text
    role: Text = ""


class _Service(msgspec.Struct, frozen=True, gc=False):
    healthy: bool
    checked_at: Instant
    unchanged_since: Instant | None = None


class _Health(msgspec.Struct, frozen=True, gc=False):
    all_healthy: bool
    stale: bool | None = None
    api: _Service | None = None
    compiler: _Service | None = None
    runner: _Service | None = None


@dataclass(frozen=True, slots=True)
class License:
    """The license, as last reported.

    Attributes:
        valid: whether it exists and has not expired.
        expiry: when it expires; None if it does not.
        is_dev: whether it is for development only.
    """

    valid: bool
    expiry: int | None
    is_dev: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """The health of one of Feldera's services; instants in microseconds since the epoch."""

    healthy: bool
    checked_at: Micros
    unchanged_since: Micros | None


@dataclass(frozen=True, slots=True)
class Platform:
    """What an instance reports about itself; None or empty until it did.

    Attributes:
        version: Feldera's version.
        edition: Feldera's edition.
        revision: Feldera's revision.
        license: the license, as last reported.
        tenant: the tenant whose pipelines are listed.
        role: the role of the API key.
        services: the services by name, as last reported.
        stale: whether Feldera itself calls `services` outdated, since its monitor has stopped; None before v0.352.
        health_lost_at: since when `services` has not been reported for too long, by Feldera's clock;
            None while it is reported.
        variants: the values of `labels` so far.
    """

    version: str | None = None
    edition: str = ""
    revision: str = ""
    license: License | None = None
    tenant: str = ""
    role: str = ""
    services: Mapping[str, Service] = field(default_factory=lambda: MappingProxyType({}))
    stale: bool | None = None
    health_lost_at: Micros | None = None
    variants: label_variants.Variants = field(default=label_variants.NONE, compare=False)

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """The version, edition, revision and tenant as labels: `other` after very many different ones."""
        labels = self.version or "", self.edition, self.revision, self.tenant
        known = label_variants.with_variant(self.variants, labels) is not None
        return labels if known else (label_variants.OTHER,) * 4

    @property
    def current_services(self) -> Mapping[str, Service]:
        """The services; none while Feldera has not reported them for too long."""
        return self.services if self.health_lost_at is None else MappingProxyType({})

    @property
    def has_event_log(self) -> bool | None:
        """Whether servers of this version have event logs of pipelines; None for an unknown version."""
        match = _VERSION.match(self.version or "")
        return (int(match[1]), int(match[2])) >= _EVENT_LOG_SINCE if match else None


def with_config(platform: Platform, body: bytes | bytearray) -> Platform:
    """Return the platform after a body of `GET /v0/config`; a license that is null there stays as it was.

    Feldera reports null without a license, and also if its lock took too long.

    Raises:
        InvalidResponseError: the body is something else.
    """
    config = decoded(_CONFIG, body)
    return _labelled(
        replace(
            platform,
            version=config.version,
            edition=config.edition,
            revision=config.revision,
            license=_license(config.license_validity) or platform.license,
        )
    )


def with_session(platform: Platform, body: bytes | bytearray) -> Platform:
    """Return the platform after a body of `GET /v0/config/session`.

    Raises:
        InvalidResponseError: the body is something else.
    """
    session = decoded(_SESSION, body)
    return _labelled(replace(platform, tenant=session.tenant_name, role=session.role))


def with_health(platform: Platform, body: bytes | bytearray) -> Platform:
    """Return the platform after a body of `GET /v0/cluster_healthz`, of any status.

    Raises:
        InvalidResponseError: the body is something else.
    """
    health = decoded(_HEALTH, body)
    services = {}
    for name in SERVICES:
        service = getattr(health, name)
        if service is not None:
            since = from_datetime(service.unchanged_since) if service.unchanged_since is not None else None
            services[name] = Service(service.healthy, from_datetime(service.checked_at), since)
    return replace(platform, services=MappingProxyType(services), stale=health.stale, health_lost_at=None)


def without_health(platform: Platform, at: Micros) -> Platform:
    """Return the platform without current services, since they have not been reported for too long; `at` as `health_lost_at`."""
    if platform.health_lost_at is not None or not platform.services:
        return platform
    return replace(platform, stale=None, health_lost_at=at)


_CONFIG: Final = msgspec.json.Decoder(_Config)
_SESSION: Final = msgspec.json.Decoder(_Session)
_HEALTH: Final = msgspec.json.Decoder(_Health)


def _labelled(platform: Platform) -> Platform:
    """Return the platform with its labels among the variants, if there is room."""
    variants = label_variants.with_variant(platform.variants, platform.labels)
    return platform if variants is None else replace(platform, variants=variants)


def _license(validity: _License | None) -> License | None:
    if validity is None:
        return None
    if validity.existing is None:
        return License(valid=False, expiry=None)
    until = validity.existing.valid_until
    return License(
        # Both instants are Feldera's, so that this machine's clock does not matter.
        valid=until is None or until > validity.existing.current,
        expiry=from_datetime(until) if until is not None else None,
        is_dev=validity.existing.is_dev,
    )
