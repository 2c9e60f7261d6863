"""Programs are started on a free port, waited for until they are ready, and ended with their parent."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from feldera_exporter.demo import child_programs, end_with_parent
from feldera_exporter.demo.child_programs import ProgramError
from feldera_exporter.demo.end_with_parent import ended_with_parent
from support import loopback

SERVER = """
import http.server, os, signal, sys
port, mode, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
print("hello from", os.getpid(), flush=True)
with open(f"{folder}/pids", "a") as pids:
    pids.write(f"{os.getpid()}\\n")
starts = len(open(f"{folder}/pids").readlines())
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "dies" or (mode == "second try" and starts == 1):
    sys.exit("address already in use")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if mode == "never ready" or self.path != "/-/ready" else 200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class ScriptedProgram:
    """A program that behaves as a test wants.

    Attributes:
        log: what it said.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log = folder / "log"

    def command(self, mode: str) -> child_programs.Command:
        """Return how to start it."""

        def words(port: int) -> Sequence[str]:
            return (sys.executable, "-c", SERVER, str(port), mode, str(self._folder))

        return words

    @property
    def pids(self) -> list[int]:
        """The processes that were ever started."""
        return [int(pid) for pid in (self._folder / "pids").read_text().split()]

    def left(self) -> list[int]:
        """Return the processes that still run."""
        return [pid for pid in self.pids if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def stage(tmp_path: Path) -> ScriptedProgram:
    """A folder for a program."""
    return ScriptedProgram(tmp_path)


def test_a_program_is_ready_and_ends_with_its_user(stage: ScriptedProgram) -> None:
    """The program answers at its address, and afterwards there is no such process."""

    async def use() -> None:
        async with child_programs.running(stage.command("well"), stage.log) as url:
            assert url.startswith("http://127.0.0.1:")
            assert loopback.get(f"{url}/-/ready").status_code == 200
            assert stage.left() == stage.pids

    asyncio.run(use())
    assert stage.left() == []
    assert "hello from" in stage.log.read_text()


def test_a_port_in_use(stage: ScriptedProgram) -> None:
    """If the port is in use, the program is started again on another one."""

    async def use() -> None:
        async with child_programs.running(stage.command("second try"), stage.log):
            assert len(stage.pids) == 2

    asyncio.run(use())
    assert stage.left() == []


def test_a_program_that_does_not_start_is_an_error(stage: ScriptedProgram) -> None:
    """After three tries it is an error, with the last line of the program's log."""

    async def use() -> None:
        async with child_programs.running(stage.command("dies"), stage.log):
            raise AssertionError

    with pytest.raises(ProgramError, match=r"did not start: address already in use$"):
        asyncio.run(use())
    assert len(stage.pids) == 3


def test_a_program_that_says_nothing_is_an_error_too(stage: ScriptedProgram) -> None:
    """The error says that the log is empty."""

    async def use() -> None:
        async with child_programs.running(lambda _: (sys.executable, "-c", ""), stage.log):
            raise AssertionError

    with pytest.raises(ProgramError, match=r"did not start: it said nothing$"):
        asyncio.run(use())


def test_a_program_that_never_becomes_ready_is_ended(
    stage: ScriptedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is not ready within its time is ended."""
    # Once, with time enough to say its line on a busy machine.
    monkeypatch.setattr(child_programs, "_TRIES", 1)
    monkeypatch.setattr(child_programs, "_START_SECONDS", 4)

    async def use() -> None:
        async with child_programs.running(stage.command("never ready"), stage.log):
            raise AssertionError

    with pytest.raises(ProgramError, match="did not start: hello from"):
        asyncio.run(use())
    assert stage.left() == []


def test_what_cannot_be_started_at_all_is_an_error(stage: ScriptedProgram, tmp_path: Path) -> None:
    """The error has the system's reason."""

    async def use() -> None:
        async with child_programs.running(lambda _: (str(tmp_path / "none"),), stage.log):
            raise AssertionError

    with pytest.raises(
        ProgramError, match=r"did not start: .+/none cannot be started: No such file or directory"
    ):
        asyncio.run(use())


def test_a_program_that_ignores_sigterm_is_killed(
    stage: ScriptedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ignores SIGTERM is killed after a while."""
    monkeypatch.setattr(child_programs, "_STOP_SECONDS", 0.2)

    async def use() -> None:
        async with child_programs.running(stage.command("stubborn"), stage.log):
            pass

    asyncio.run(use())
    assert stage.left() == []


USER = """
import asyncio, sys
from pathlib import Path
from feldera_exporter.demo import child_programs
async def use():
    command = lambda port: (sys.executable, "-c", sys.argv[1], str(port), "well", sys.argv[2])
    async with child_programs.running(command, Path(sys.argv[2]) / "log"):
        print("ready", flush=True)
        await asyncio.sleep(60)
asyncio.run(use())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a process whose parent was killed")
def test_a_program_ends_with_a_user_that_is_killed(stage: ScriptedProgram, tmp_path: Path) -> None:
    """If the parent is killed by SIGKILL, the kernel ends the program."""
    words = (sys.executable, "-c", USER, SERVER, str(tmp_path))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"ready\n"
        assert stage.left() == stage.pids
        user.kill()
    deadline = time.monotonic() + 30
    while stage.left():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_whose_user_is_gone_already_does_not_begin() -> None:
    """A program whose parent has ended already is not started."""
    words = ended_with_parent((sys.executable, "-c", "print('began')"))
    place = words.index(str(os.getpid()))
    orphaned = (*words[:place], str(2**22), *words[place + 1 :])
    ended = subprocess.run(orphaned, capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "the parent process has ended\n")
    assert subprocess.run(words, capture_output=True, check=True, text=True).stdout == "began\n"


def test_elsewhere_than_on_linux_it_is_started_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """On other systems the program is started without the kernel's help."""
    began: list[object] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "execv", lambda *words: began.append(words))
    end_with_parent.main(1, ["/bin/true"])
    assert began == [("/bin/true", ("/bin/true",))]


def test_a_missing_program_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error of a missing program has the system's reason in place of the last line of a log."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SystemExit, match="/none cannot be started: No such file or directory"):
        end_with_parent.main(1, [str(tmp_path / "none")])


def test_a_program_that_has_ended_by_itself_needs_no_end(stage: ScriptedProgram) -> None:
    """If the program has ended by itself, the context ends without an error."""

    async def use() -> None:
        async with child_programs.running(stage.command("well"), stage.log):
            os.kill(stage.pids[0], signal.SIGKILL)
            deadline = time.monotonic() + 30
            while stage.left():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)

    asyncio.run(use())


def test_who_gives_up_waiting_leaves_nothing_behind(stage: ScriptedProgram) -> None:
    """If the start is cancelled before the program is ready, the program is ended."""

    async def use() -> None:
        async with child_programs.running(stage.command("never ready"), stage.log):
            raise AssertionError

    async def give_up() -> None:
        task = asyncio.create_task(use())
        deadline = time.monotonic() + 30
        while not stage.log.exists() or "hello" not in stage.log.read_text():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert stage.left() == []


def test_the_first_program_that_is_installed_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program is found by any of its names."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert child_programs.installed("prometheus-alertmanager", "alertmanager") is None
    program = tmp_path / "alertmanager"
    program.touch(mode=0o755)
    assert child_programs.installed("prometheus-alertmanager", "alertmanager") == program


def test_the_wanted_port_is_taken_unless_it_is_in_use() -> None:
    """The wanted port is used unless it is in use; then any free one."""
    wanted = child_programs.free_port()
    assert child_programs.free_port(wanted) == wanted
    with socket.create_server((child_programs.HOST, wanted)):
        assert child_programs.free_port(wanted) not in {0, wanted}


def test_the_first_page_that_is_there(tmp_path: Path) -> None:
    """The server is recognised by a path that only it has; the last address is used where none answers."""
    stage = ScriptedProgram(tmp_path)

    async def pages() -> list[str]:
        async with child_programs.running(stage.command("well"), stage.log) as url:
            found = [{"/none": "/a", "/-/ready": "/b", "/other": "/c"}, {"/none": "/a", "/other": "/c"}]
            return [(await child_programs.first_page(url, each)).removeprefix(url) for each in found]

    assert asyncio.run(pages()) == ["/b", "/c"]
