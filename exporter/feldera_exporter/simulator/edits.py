"""Edits and deletions of pipelines as pure rules (pipeline-manager `db/operations/pipeline.rs`, `update_pipeline`)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from feldera_exporter.micros import Micros
from feldera_exporter.simulator.api_errors import NAME_PATTERN, refusal
from feldera_exporter.simulator.row import Row
from feldera_exporter.simulator.row_changes import fully_stopped

_NAME: Final = re.compile(NAME_PATTERN)
_PROGRAM: Final = frozenset({"program_code", "program_config", "udf_rust", "udf_toml"})
_BOUND_TO_STORAGE: Final = ("workers", "hosts", "fault_tolerance")


def check_name(name: str) -> None:
    """Refuse a name that is too long or does not match the pattern."""
    if len(name) > 63:
        raise refusal("TooLongName", name=name, length=len(name), max_length=63)
    if not _NAME.fullmatch(name):
        wanted = "consist of letters, digits, '-' and '_', and begin and end with a letter or digit"
        raise refusal("NameDoesNotMatchPattern", name=name, pattern=NAME_PATTERN, pattern_description=wanted)


def edited(row: Row, at: Micros, edit: Mapping[str, Any]) -> tuple[Row, ...]:
    """Change a row's core fields (`update_pipeline`); a no-op records nothing."""
    edit = {field: value for field, value in edit.items() if getattr(row, field) != value}
    if not edit:
        return ()
    if not fully_stopped(row):
        raise refusal("UpdateRestrictedToStopped")
    if row.storage_status != "Cleared":
        config = edit.get("runtime_config", row.runtime_config)
        bound = ["`name`"] * ("name" in edit) + [
            f"`runtime_config.{key}`"
            for key in _BOUND_TO_STORAGE
            if config.get(key) != row.runtime_config.get(key)
        ]
        if bound:
            raise refusal("EditRestrictedToClearedStorage", not_allowed=bound)
    row = replace(row, **edit, version=row.version + 1, refresh_version=row.refresh_version + 1)
    if not _PROGRAM.isdisjoint(edit):
        row = replace(
            row,
            program_version=row.program_version + 1,
            program_status="Pending",
            program_status_since=at,
            program_failure=None,
        )
    return (row,)


def check_deletable(row: Row) -> None:
    """Refuse to delete what is not fully stopped, or has storage."""
    if not fully_stopped(row):
        raise refusal("DeleteRestrictedToFullyStopped")
    if row.storage_status != "Cleared":
        raise refusal("DeleteRestrictedToClearedStorage")
