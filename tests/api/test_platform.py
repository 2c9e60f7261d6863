"""Feldera's version, license, session and health."""

import json
from typing import Any

import pytest

from feldera_exporter.feldera.errors import InvalidResponseError
from feldera_exporter.feldera.platform import (
    License,
    Platform,
    Service,
    with_config,
    with_health,
    with_session,
    without_health,
)

AUGUST = "2026-08-21T12:00:00Z"
AUGUST_MICROS = 1_787_313_600_000_000


def config(validity: Any) -> bytes:
    """Return an answer of `GET /v0/config`."""
    return json.dumps(
        {"version": "0.337.0", "edition": "Enterprise", "revision": "abc", "license_validity": validity}
    ).encode()


@pytest.mark.parametrize(
    ("validity", "license_"),
    [
        (None, None),
        ({"DoesNotExistOrNotConfirmed": "no file"}, License(valid=False, expiry=None)),
        ({"Exists": {"current": AUGUST, "valid_until": None}}, License(valid=True, expiry=None)),
        (
            {"Exists": {"current": "2026-08-21T11:59:59Z", "valid_until": AUGUST}},
            License(valid=True, expiry=AUGUST_MICROS),
        ),
        (
            {"Exists": {"current": AUGUST, "valid_until": AUGUST}},
            License(valid=False, expiry=AUGUST_MICROS),
        ),
        (
            {"Exists": {"current": AUGUST, "is_dev": True}},
            License(valid=True, expiry=None, is_dev=True),
        ),
    ],
)
def test_a_license(validity: Any, license_: License | None) -> None:
    """A license is valid until Feldera's own clock reaches its end."""
    assert with_config(Platform(), config(validity)) == Platform("0.337.0", "Enterprise", "abc", license_)


def test_a_license_that_is_null_for_once_stays() -> None:
    """A null license does not replace a known one, as Feldera also answers null when its lock took too long."""
    known = with_config(Platform(), config({"Exists": {"current": AUGUST}}))
    assert with_config(known, config(None)) == known


def test_an_old_server_has_fewer_fields() -> None:
    """Only the version must be there; the fields of a newer version are taken up after an upgrade."""
    known = with_config(Platform(), b'{"version":"0.148.0"}')
    assert known == Platform("0.148.0")
    assert with_config(known, config(None)).edition == "Enterprise"


def test_a_session() -> None:
    """A session adds the tenant and the role, and keeps everything else."""
    known = with_session(Platform("0.337.0"), b'{"tenant_id":"x","tenant_name":"acme","role":"read"}')
    assert known == Platform("0.337.0", tenant="acme", role="read")


def test_health() -> None:
    """Services of an answer are known, others are not; before v0.336 there is no instant."""
    body = {
        "all_healthy": False,
        "api": {"healthy": True, "message": "", "checked_at": AUGUST, "unchanged_since": AUGUST},
        "runner": {"healthy": False, "message": "stuck", "checked_at": AUGUST},
    }
    known = with_health(Platform(), json.dumps(body).encode())
    assert known.services == {
        "api": Service(True, AUGUST_MICROS, AUGUST_MICROS),
        "runner": Service(False, AUGUST_MICROS, None),
    }
    lost = without_health(known, 7)
    assert (lost.services, lost.health_lost_at, lost.current_services) == (known.services, 7, {})
    assert without_health(lost, 8) is lost
    assert with_health(lost, json.dumps(body).encode()) == known
    assert without_health(Platform(), 7) == Platform()


@pytest.mark.parametrize(("stale", "known"), [(None, None), (False, False), (True, True)])
def test_feldera_may_call_its_own_word_stale(stale: bool | None, known: bool | None) -> None:  # noqa: FBT001
    """Since v0.352 an answer may be stale: the services are those of the last check, and no longer all healthy."""
    body: dict[str, Any] = {"all_healthy": not stale, "runner": {"healthy": True, "checked_at": AUGUST}}
    if stale is not None:
        body |= {"stale": stale, "stale_after_seconds": 1800}
    found = with_health(Platform(stale=True), json.dumps(body).encode())
    assert (found.stale, found.services["runner"].healthy) == (known, True)
    assert without_health(found, 7).stale is None


@pytest.mark.parametrize(
    ("take", "body"),
    [
        (with_config, b"{}"),
        (with_config, b'{"version":7}'),
        (with_config, b'{"version":"' + b"x" * 1000 + b'"}'),
        (with_config, config({"Exists": {"current": "2026-08-21T12:00:00"}})),
        (with_session, b"[]"),
        (with_session, b'{"tenant_name":null}'),
        (
            with_health,
            b'{"message":"No cluster monitor events","error_code":"NoClusterMonitorEventsAvailable"}',
        ),
        (with_health, b'{"all_healthy":true,"api":{"healthy":true}}'),
        (with_health, b"[" * 100_000),
    ],
)
def test_anything_else_is_refused(take: Any, body: bytes) -> None:
    """An answer of another form is one error, which says where it differs."""
    with pytest.raises(InvalidResponseError, match="unexpected body"):
        take(Platform(), body)


@pytest.mark.parametrize(
    ("version", "has"),
    [(None, None), ("", None), ("next", None), ("0.291.9", False), ("0.292.0", True), ("0.337.0-rc.1", True), ("1.0", True)],
)  # fmt: skip
def test_who_has_an_event_log(version: str | None, has: bool | None) -> None:  # noqa: FBT001
    """Servers since v0.292 have the event log of pipelines; what is no version has none."""
    assert Platform(version).has_event_log is has
