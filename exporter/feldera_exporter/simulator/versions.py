"""The differences between versions of Feldera that the simulator has, one row each."""

import re
from enum import Enum
from functools import cache
from typing import Final

from feldera_exporter.errors import ExporterError

Version = tuple[int, ...]

NEWEST: Final = "0.375.0"
"""The default version of the simulated Feldera, and the newest that it supports."""

OLDEST: Final = "0.148.0"
"""The oldest version that it can be: before, a pipeline had one status only."""


class Fact(Enum):
    """What the stand-in does from a version on: the first of which it is known, as far as its number tells, and what that is."""

    DISMISS_ERROR = (0, 251), "the route …/dismiss_error"
    STORAGE_STATUS_DETAILS = (0, 289), "`storage_status_details` of a pipeline"
    EVENTS = (0, 292), "the routes …/events of a pipeline"
    SILENT_BOOTSTRAP = (0, 300), "`silent_bootstrap` of a pipeline"
    TAGS = (0, 313), "`tags` of a pipeline"
    CONNECTOR_STATS = (0, 322), "`connector_stats` in runtime details, which were a string before"
    CONCURRENT_BOOTSTRAP = (0, 324), "`concurrent_bootstrap` of a pipeline"
    RETRY_AFTER = (0, 330), "Retry-After with a 503 that the manager itself makes"
    UNCHANGED_SINCE = (0, 336), "a service's `unchanged_since` is another instant than `checked_at`"
    LOGS_CURSOR = (0, 351), "`cursor` of …/logs, answered with the headers feldera-logs-…"
    STALE = (0, 352), "`stale` and `stale_after_seconds` of the cluster's health, which is then 503"
    PIPELINE_STATUS = (
        (0, 356),
        "the family pipeline_status in both routes of metrics, which need no deployment",
    )
    DEV_EDITION = (0, 356), "the edition EnterpriseDev, and `is_dev` of its license"
    DURATIONS = (0, 366), "durations such as `provisioning_timeout: 20m` in place of numbers"
    SIZES = (0, 367), "sizes such as `memory_max: 16Gi` in place of numbers"
    DEPLOYMENT_CONFIG = (0, 367), "`deployment_config` of a pipeline, which resizes it while it runs"
    USER_CREATED_AT = (0, 367), "`user_created_at` of the session"
    MEMORY_MAX = (0, 370), "`memory_max` in the runtime details of a resized pipeline"
    LOGS_FOLLOW = (0, 370), "`follow=false` of …/logs, which ends the answer"
    ALLOW_RUST_UDFS = (0, 371), "`allow_rust_udfs` of the configuration"
    COMPRESSION_LEVEL = (0, 375), "`compression_level` of a pipeline's storage"

    def __init__(self, since: Version, what: str) -> None:
        self.since = since
        self.what = what


class UnknownVersionError(ExporterError):
    """A version that Feldera never had, or that the stand-in cannot be."""


@cache
def parse_version(text: str) -> Version:
    """Return "0.337.0" as (0, 337, 0).

    Raises:
        UnknownVersionError: it is no version, or none that the stand-in can be.
    """
    if re.fullmatch(r"\d{1,6}\.\d{1,6}\.\d{1,6}", text, re.ASCII):
        version = _numbers(text)
        if _numbers(OLDEST) <= version <= (*_numbers(NEWEST)[:2], 999_999):
            return version
    raise UnknownVersionError(
        f"found {text!r}, expected a version of Feldera from {OLDEST} to {NEWEST}, such as {NEWEST}"
    )


def has(version: Version, fact: Fact) -> bool:
    """Return whether a version has a fact."""
    return version >= fact.since


def _numbers(text: str) -> Version:
    return tuple(map(int, text.split(".")))
