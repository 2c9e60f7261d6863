"""The routes of the instance itself: its configuration, session, license and cluster."""

from typing import Any, Final
from uuid import NAMESPACE_DNS, UUID, uuid5

from feldera_exporter.feldera.statuses import SERVICES
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.simulator.api_errors import check_uuid, refusal
from feldera_exporter.simulator.cluster import STALE_AFTER, ClusterEvent
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpAnswer, HttpRequest, choice, json
from feldera_exporter.simulator.timestamps import instant_text
from feldera_exporter.simulator.versions import Fact

_DEV: Final = "EnterpriseDev"
_NO_TENANT: Final = UUID(int=0)
_REVISION: Final = "5c7931d09fc37e0976143e50a81169dbd98ec0cc"
_DEPENDENCIES: Final = ",".join(f"crate-{number} 1.{number}.0" for number in range(200))

_PROVIDER: Final = {"issuer": "https://login.example.com", "client_id": "feldera", "extra_oidc_scopes": []}

_BUILD: Final = {
    "build_timestamp": "2026-08-20T18:37:48Z",
    "build_cpu": "Intel(R) Xeon(R) Processor",
    "build_os": "Linux",
    "cargo_dependencies": _DEPENDENCIES,
    "cargo_features": "",
    "cargo_debug": "false",
    "cargo_opt_level": "3",
    "cargo_target_triple": "x86_64-unknown-linux-gnu",
    "rustc_version": "rustc 1.91.1",
}


class InstanceRoutes:
    """The responses about one instance.

    Args:
        has_login: whether users log in, without which there are no API keys either.

    Attributes:
        license_until: when the license ends; None: an endless one. Enterprise only.
        has_license: whether an Enterprise instance has one.
    """

    def __init__(self, feldera: Feldera, *, has_login: bool = False) -> None:
        self._feldera = feldera
        self._has_login = has_login
        self.has_license = True
        self.license_until: Micros | None = feldera.started_at + 365 * 86_400 * SECOND

    def config(self, _: HttpRequest) -> HttpAnswer:
        """GET /v0/config."""
        version = self._feldera.version
        udfs = {"allow_rust_udfs": True} if self._feldera.has(Fact.ALLOW_RUST_UDFS) else {}
        return json(
            {
                "posthog": "",
                "conceptualhq": "",
                "product_fruits": "",
                "edition": self._edition,
                "version": version,
                "revision": _REVISION,
                "runtime_revision": _REVISION,
                "unstable_features": None,
                "changelog_url": f"https://github.com/feldera/feldera/releases/tag/v{version}",
                "license_validity": self._license(),
                "update_info": None,
                "build_info": _BUILD,
                "build_source": "ci",
                **udfs,
            }
        )

    @property
    def _edition(self) -> str:
        """The edition as the version calls it."""
        edition = self._feldera.edition
        return "Enterprise" if edition == _DEV and not self._feldera.has(Fact.DEV_EDITION) else edition

    def _license(self) -> dict[str, Any] | None:
        if not self._feldera.is_enterprise:
            return None
        if not self.has_license:
            return {"DoesNotExistOrNotConfirmed": "The license could not be confirmed."}
        until = self.license_until
        return {
            "Exists": {
                "current": instant_text(self._feldera.settle()),
                "valid_until": until and instant_text(until),
                "is_trial": False,
                "description_html": "",
                "extension_url": None,
                "remind_starting_at": None,
                "remind_schedule": "Session",
                **({"is_dev": True} if self._edition == _DEV else {}),
            }
        }

    def session(self, request: HttpRequest) -> HttpAnswer:
        """GET /v0/config/session."""
        tenant = self._feldera.tenant
        identity = _NO_TENANT if tenant == "default" else uuid5(NAMESPACE_DNS, tenant)
        role = request.headers.get("feldera-role", "admin")
        born = {"user_created_at": None} if self._feldera.has(Fact.USER_CREATED_AT) else {}
        return json(
            {"tenant_id": str(identity), "tenant_name": tenant, "role": role, "memberships": [], **born}
        )

    def health(self, _: HttpRequest) -> HttpAnswer:
        """GET /v0/cluster_healthz: the last event, and 503 with the same body unless all is well."""
        self._feldera.settle()
        cluster = self._feldera.cluster
        if not cluster.events:
            raise refusal("NoClusterMonitorEventsAvailable")
        last = cluster.events[-1]
        real = self._feldera.has(Fact.UNCHANGED_SINCE)
        services = {
            service: {
                "healthy": last.statuses[service] == "Healthy",
                "message": last.messages[service],
                "unchanged_since": instant_text(
                    cluster.unchanged_since(service) if real else last.recorded_at
                ),
                "checked_at": instant_text(last.recorded_at),
            }
            for service in SERVICES
        }
        stale = self._staleness(last)
        healthy = last.all_healthy and not stale.get("stale")
        if stale:
            stale["stale_after_seconds"] = STALE_AFTER // SECOND
        return json({"all_healthy": healthy, **stale, **services}, 200 if healthy else 503)

    def _staleness(self, last: ClusterEvent) -> dict[str, Any]:
        if not self._feldera.has(Fact.STALE):
            return {}
        return {"stale": self._feldera.settle() - last.recorded_at > STALE_AFTER}

    def cluster_events(self, _: HttpRequest) -> HttpAnswer:
        """GET /v0/cluster/events."""
        self._feldera.settle()
        return json([_event(event, "status") for event in reversed(self._feldera.cluster.events)])

    def cluster_event(self, request: HttpRequest, event_id: str) -> HttpAnswer:
        """GET /v0/cluster/events/{event_id|latest}."""
        selector = choice(request, "selector", ("all", "status"), "status")
        self._feldera.settle()
        events = self._feldera.cluster.events
        if event_id == "latest":
            if not events:
                raise refusal("NoClusterMonitorEventsAvailable")
            return json(_event(events[-1], selector) | self._staleness(events[-1]))
        check_uuid(event_id)
        for event in events:
            if event.id == event_id:
                return json(_event(event, selector))
        raise refusal("UnknownClusterMonitorEvent", event_id=event_id)

    def liveness(self, _: HttpRequest) -> HttpAnswer:
        """GET /healthz."""
        if self._feldera.database.down:
            return json({"status": "unhealthy: unable to reach database (see logs for further details)"}, 500)
        return json({"status": "healthy"})

    def authentication(self, _: HttpRequest) -> HttpAnswer:
        """GET /config/authentication: the provider of logins, if there is one."""
        return json({"GenericOidc": _PROVIDER} if self._has_login else {})


def _event(event: ClusterEvent, selector: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": event.id,
        "recorded_at": instant_text(event.recorded_at),
        "all_healthy": event.all_healthy,
    }
    for service in SERVICES:
        fields[f"{service}_status"] = event.statuses[service]
        if selector == "all":
            fields[f"{service}_self_info"] = event.messages[service]
            fields[f"{service}_resources_info"] = "Resources information not available."
    return fields
