"""A process is killed at any instant: nothing acknowledged is lost, and nothing is written by half."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from time import sleep

import pytest

from feldera_exporter.store.store import Store

CHILD = """
import sys
from pathlib import Path
from feldera_exporter.history.effects import Gap
from feldera_exporter.history.instance_totals import InstanceTotals, add
from feldera_exporter.store.poll_changes import PollChanges, StoredInstance
from feldera_exporter.store.store import Store
from support.history_examples import begun, instant, seen
from support.history_examples import begun
from feldera_exporter.history.fold import fold

store = Store.open(Path(sys.argv[1]))
found = store.load("prod")
turn = found.standing.totals.gaps
histories = {name: found.histories.get(name) or begun(0, "Provisioned/Running") for name in "abcdefgh"}
totals = found.standing.totals
while True:
    turn += 1
    status = "Provisioned/Paused" if turn % 2 else "Provisioned/Running"
    log = [seen(0, "Provisioned/Running"), seen(turn, status)]
    histories = {name: fold(history, log, 0)[0] for name, history in histories.items()}
    totals = add(totals, [Gap(turn)])
    store.commit(PollChanges("prod", StoredInstance(turn, turn, totals), histories))
    print(turn, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_loses_nothing_and_counts_nothing_twice(tmp_path: Path, seed: int) -> None:
    """After each of several kills the store holds one whole commit, not older than the last acknowledged."""
    random = Random(seed)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert child.stdout is not None
        with child, child.stdout:
            assert child.stdout.readline()
            sleep(random.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            acknowledged = int(child.stdout.read().split("\n")[-2:][0] or 0)
        store = Store.open(tmp_path)
        found = store.load("prod")
        store.close()
        turn = found.standing.totals.gaps
        assert turn >= acknowledged
        assert found.standing.confirmed_until == turn
        assert {sum(history.counts.runtime.values()) for history in found.histories.values()} == {turn}


FULL = """
import resource, signal, sys
from pathlib import Path
from feldera_exporter.errors import StoreError
from feldera_exporter.store.poll_changes import PollChanges, StoredInstance
from feldera_exporter.store.store import Store
from support.history_examples import begun

store = Store.open(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
histories = {}
try:
    for number in range(100_000):
        histories[str(number)] = begun(0, "Stopped")
        changes = PollChanges("prod", StoredInstance(number), {str(number): histories[str(number)]})
        store.commit(changes)
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.commit(changes)
assert store.load("prod").histories == histories
store.close()
"""


def test_a_file_that_may_not_grow_recovers(tmp_path: Path) -> None:
    """A commit that the system refuses fails and changes nothing, and it can be made later."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert "state.sqlite3: cannot be written: " in child.stdout
