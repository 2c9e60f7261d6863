"""The program is killed at any instant: no notification comes twice, and none is lost."""

import random
import sys
import time
from pathlib import Path
from typing import Final

from feldera_exporter.demo.child_programs import HOST, free_port
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.alertmanagers import alertmanager
from support.child_process import ChildProcess
from support.notifications import NotificationRecord
from support.tools import THOROUGH
from support.two_instances import feldera, until

KILLS: Final = 100 if THOROUGH else 3

CONFIGURATION: Final = """\
instances: [{{name: prod, url: '{api}', poll_interval: 200ms}}]
alertmanager: {{urls: ['{am}'], resend_interval: 15s}}
"""


def test_kills_at_any_instant(tmp_path: Path) -> None:
    """The exporter is killed while pipelines fail and start: each failure is notified once, and so is its end."""
    chance, record = random.Random(KILLS), NotificationRecord()
    # Each fails once: a second error within ten minutes is the same trouble still.
    names = [f"p{number:03}" for number in range(KILLS)]
    instance = feldera(*names)
    failed: list[str] = []
    down: list[str] = []
    with alertmanager(tmp_path / "am", record) as real, serve(FelderaServer(instance)) as api:
        file = tmp_path / "exporter.yml"
        file.write_text(CONFIGURATION.format(api=api, am=real.url))
        port = free_port()
        words = [sys.executable, "-m", "feldera_exporter", f"--config.file={file}"]
        words += [f"--web.listen-address={HOST}:{port}", f"--storage.path={tmp_path / 'store'}"]
        program = ChildProcess(f"http://{HOST}:{port}", words, tmp_path / "exporter.log")
        until(lambda: real.ready, 30)
        program.start()
        try:
            until(lambda: program.ready, 60)
            until(lambda: {each.row.status for each in instance.pipelines()} == {"Running"}, 60)
            for _ in range(KILLS):
                # The next change comes when the last one was notified, as else Alertmanager itself may miss one.
                until(lambda: len(_notifications(record)) == 2 * len(failed) - len(down), 60)
                if down and chance.random() < 0.5:
                    instance.start(down.pop(chance.randrange(len(down))))
                else:
                    failed.append(names[len(failed)])
                    down.append(failed[-1])
                    instance.inject.crash(failed[-1])
                time.sleep(chance.uniform(0, 1))
                program.kill()
                program.start()
            until(lambda: len(_notifications(record)) == 2 * len(failed) - len(down), 60)
            time.sleep(3)
        finally:
            program.stop()
    for name in names:
        own = [status for pipeline, status in _notifications(record) if pipeline == name]
        wanted = ["firing", "resolved"] if name in failed else []
        assert own == (["firing"] if name in down else wanted), name


def _notifications(record: NotificationRecord) -> list[tuple[str, str]]:
    """Return the errors of all notifications."""
    return [
        (each.pipeline, each.status)
        for each in record.changes
        if each.alert == "FelderaPipelineDeploymentError"
    ]
