"""Seeds in which some events cannot be read: what is missing is said, once, and all else is exact."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

from feldera_exporter.simulator.uuid7 import uuid_text
from support.tools import example_count
from support.true_counts import compare_counts, compare_time
from support.watched_feldera import OPEN_SOURCE, WatchedFeldera, WatchSettings

_ONE_IN: Final = 25
_SPOILT: Final = (
    (re.compile(rb'"program_status":"\w+"'), b'"program_status":7'),
    (re.compile(rb'"storage_status":"\w+"'), rb'"storage_status":"\udfff"'),
    (re.compile(rb'"recorded_at":"[^"]+"'), b'"recorded_at":"once"'),
)
_EVENT: Final = re.compile(rb'\{"event_id":"([^"]+)".*?\}')


def _is_spoilt(event_id: bytes) -> bool:
    return crc32(event_id) % _ONE_IN == 0


def _event(found: re.Match[bytes]) -> bytes:
    if not _is_spoilt(found[1]):
        return found[0]
    pattern, spoilt = _SPOILT[crc32(found[1]) // _ONE_IN % len(_SPOILT)]
    return pattern.sub(lambda _: spoilt, found[0])


class Spoilt(WatchedFeldera):
    """An instance of whose events some cannot be read."""

    def _log(self, *names: str) -> bytes:
        body = super()._log(*names)
        return _EVENT.sub(_event, body) if len(names) == 1 else body


@pytest.mark.parametrize("seed", range(example_count(40)))
def test_what_is_missing_is_said(seed: int, tmp_path: Path) -> None:
    """A pipeline with only readable events is counted exactly; one with others has as many gaps at most, and one at least."""
    one = Spoilt(WatchSettings(seed, OPEN_SOURCE), tmp_path)
    try:
        one.run()
        gaps = 0
        for key, history in one.histories.items():
            log = [*one.feldera.database.pipelines[key].log]
            spoilt = [event for event in log if _is_spoilt(uuid_text(event.event_id).encode())]
            gaps += history.gaps
            if not spoilt:
                assert history.gaps == 0
                compare_counts(one.feldera.truth[key], history, one.since(key))
                compare_time(one.feldera.truth[key], history)
            elif len(spoilt) < len(log):
                assert key not in one.driver.ledger.pending
                assert history.gaps <= len(spoilt)
                watched_from = max(one.since(key), history.appeared)
                # What says what the event before it says, as a heartbeat does, need not be read.
                new = [
                    event
                    for before, event in pairwise(log)
                    if event in spoilt
                    and event.recorded_at > watched_from
                    and event.statuses != before.statuses
                ]
                assert history.gaps >= bool(new)
                row = one.driver.rows[key]
                now = history.statuses
                assert (now.resources, now.runtime) == (
                    row.deployment_resources_status,
                    row.deployment_runtime_status,
                )
                assert (now.program, now.storage) == (row.program_status, row.storage_status)
        assert one.driver.ledger.totals.gaps >= gaps
    finally:
        one.close()
