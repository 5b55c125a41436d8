"""Headless Chromium, driven over the DevTools protocol by a pipe: no driver, no library, no open port."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_PATIENCE_S = 20.0
_CLEAR_OF_BOTH = 10
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Chromium:
    """One browser with one page.

    Attributes:
        requested: The address of everything that the page asked for.
        complaints: What the console and the network said went wrong.
    """

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self._profile = tempfile.TemporaryDirectory(prefix="detrdesk-chromium-", ignore_cleanup_errors=True)
        self._process, self._read, self._write = _start(self._profile.name)
        self._pending = b""
        self._number = 0
        self._session = ""
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(10)
        os.close(self._read)
        os.close(self._write)
        self._profile.cleanup()

    def resize(self, width: int, height: int, is_phone: bool) -> None:
        """Show the page in a window of this size, CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if is_phone else 1, "mobile": is_phone}
        self._ask("Emulation.setDeviceMetricsOverride", **size)

    def open(self, address: str) -> None:
        """Go to a page and wait until it has loaded."""
        self._ask("Page.navigate", url=address)
        self.wait(lambda: self.value("location.href !== 'about:blank' && document.readyState") == "complete", address)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is; a promise is waited for."""
        told = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file in a file field, as a user does."""
        root = self._ask("DOM.getDocument")["root"]["nodeId"]
        node = self._ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def click(self, selector: str) -> None:
        """Click in the middle of an element with the mouse."""
        middle = f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('{selector}')"
        self.value(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
        x, y = self.value(middle + ".getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, times: int = 1) -> None:
        """Press a key of the keyboard."""
        code = {"ArrowLeft": 37, "ArrowRight": 39, "End": 35, "Enter": 13, "Tab": 9}[key]
        for _ in range(times):
            for kind in ("rawKeyDown", "keyUp"):
                self._ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Type a text into the element that has the focus."""
        self._ask("Input.insertText", text=text)

    def screenshot(self) -> bytes:
        """The whole page as a PNG."""
        told = self._ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(told["data"])

    def wait(self, true: Callable[[], object], what: str) -> None:
        """Wait for something to become true."""
        until = time.monotonic() + _PATIENCE_S
        while not true():
            assert time.monotonic() < until, f"waited in vain for {what}; {self.complaints}"
            time.sleep(0.03)

    def _attach(self) -> None:
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self._ask(f"{domain}.enable")

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, (method, told)
                result: dict[str, Any] = told["result"]
                return result
            self._note(told.get("method", ""), told.get("params", {}))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._read], [], [], _PATIENCE_S)
            assert ready, "Chromium does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "Chromium ended"
            self._pending += part
        first, _, self._pending = self._pending.partition(b"\0")
        told: dict[str, Any] = json.loads(first)
        return told

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning", "assert"}:
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(params["entry"]["text"])


def _start(profile: str) -> tuple[subprocess.Popen[bytes], int, int]:
    """The browser, and the descriptors to read its answers from and write commands to."""
    ends = (*os.pipe(), *os.pipe())
    commands, write, read, answers = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _CLEAR_OF_BOTH) for end in ends)
    for end in ends:
        os.close(end)
    # Chromium reads commands from descriptor 3 and answers on 4.
    moved = f'exec "$@" 3<&{commands} 4>&{answers}'
    command = ["bash", "-c", moved, "bash", str(PROGRAM), *_OPTIONS, f"--user-data-dir={profile}"]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, pass_fds=(commands, answers), stdout=nowhere, stderr=nowhere)
    os.close(commands)
    os.close(answers)
    return process, read, write
