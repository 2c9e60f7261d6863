"""A real browser without a window, controlled over its debugging protocol, for as long as a `with` block lasts."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from support.tools import tool

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_PATIENCE: Final = 30.0
_BAD: Final = frozenset({"error", "warning", "assert"})
_AXE: Final = (resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
_AUDIT: Final = """
axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(one => ({
    id: one.id, impact: one.impact, nodes: one.nodes.map(node => node.target.join(" ") + ": " + node.failureSummary)
})))
"""


class Tab:
    """One page in the browser.

    Args:
        socket: the browser's.
        session: the page's.

    Attributes:
        complaints: what the console said that should not be there.
    """

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self._session = session
        self._numbers = count(1)
        self._loaded = 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, "sessionId": self._session}
        self._socket.send(json.dumps(message))
        deadline = time.monotonic() + _PATIENCE
        while (answer := self._read(deadline)).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        """Open an address and wait until all of it is there."""
        before = self._loaded
        failure = self.call("Page.navigate", url=url).get("errorText")
        assert not failure, failure
        self.loaded(before)

    def loaded(self, before: int | None = None) -> int:
        """Wait until more pages have been loaded than `before`, if that is given, and return how many have."""
        deadline = time.monotonic() + _PATIENCE
        while before is not None and self._loaded <= before:
            self._read(deadline)
        return self._loaded

    def run(self, script: str) -> Any:
        """Return what a script gives, run by the debugger: the page's own policy does not hold for it."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """Return the visible text of every element that a selector finds."""
        script = f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText.trim())"
        found: list[str] = self.run(script)
        return found

    def click(self, selector: str) -> None:
        """Click the first element that a selector finds, and wait for the page to which that leads."""
        before = self._loaded
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self.loaded(before)

    def write(self, text: str) -> None:
        """Type a text into the element with the focus."""
        self.call("Input.insertText", text=text)

    def submit(self, **fields: str) -> None:
        """Fill the page's form as a person does, and send it."""
        for name, value in fields.items():
            self.run(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")
        self.click("form button")

    def looks(self, width: int, height: int, *, dark: bool) -> None:
        """Set the size of the screen, a phone's if it is narrow, and a light or dark scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write what is seen as a PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def audit(self) -> list[dict[str, Any]]:
        """Return what axe-core finds wrong for people who cannot see, hear or move as others do."""
        self.run(_AXE)
        found: list[dict[str, Any]] = self.run(_AUDIT)
        return found

    def _read(self, deadline: float) -> Mapping[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(max(0.0, deadline - time.monotonic())))
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, parameters: Mapping[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded += 1
            case "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {parameters['exceptionDetails']['text']}")
            case "Runtime.consoleAPICalled" if parameters["type"] in _BAD:
                self.complaints.append(f"console: {parameters['args']}")
            case "Log.entryAdded" if parameters["entry"]["level"] in _BAD:
                self.complaints.append(
                    f"log: {parameters['entry']['text']} {parameters['entry'].get('url', '')}"
                )
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {parameters['message']}")


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """Start a browser with an empty profile in a folder, and end it with all its processes."""
    profile = folder / "profile"
    profile.mkdir()
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [tool("chromium"), *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        address = _address(profile / "DevToolsActivePort", process, folder / "browser.log")
        with connect(address, max_size=None, proxy=None) as socket:
            yield _tab(socket)
            socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
            process.wait(10)
    finally:
        process.kill()
        process.wait(10)


def _address(file: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while not (file.exists() and file.read_text().count("\n")):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    port, path = file.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{path}"


def _tab(socket: ClientConnection) -> Tab:
    def call(number: int, method: str, **parameters: Any) -> Any:
        socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(socket.recv(_PATIENCE))).get("id") != number:
            pass
        return answer["result"]

    target = call(-1, "Target.createTarget", url="about:blank")["targetId"]
    return Tab(socket, call(-2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
