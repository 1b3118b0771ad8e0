"""A Firefox without a window, driven by WebDriver BiDi (w3.org/TR/webdriver-bidi), for which it needs no driver."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.autoplay.default": 0,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
_START_SECONDS = 60


class Firefox:
    """One tab."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._last_id = 0
        self.problems: list[str] = []
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded"])
        self._tab = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and give its result; complaints that come meanwhile are kept."""
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(timeout=30))).get("id") != self._last_id:
            if answer.get("params", {}).get("level") in {"error", "warn"}:
                self.problems.append(answer["params"]["text"])
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, address: str, *, width: int) -> None:
        """Load a page in a window of this width."""
        self.command("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": 844})
        self.command("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Give the value of an expression, which counts as done by the user."""
        answer = self.command(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab},
            awaitPromise=True,
            userActivation=True,
        )
        return answer["result"].get("value")

    def click(self, element: str) -> None:
        """Press an element, given by its id."""
        self.evaluate(f"document.getElementById({element!r}).click()")

    def type(self, element: str, words: str) -> None:
        """Focus a field, type into it and press Enter."""
        self.evaluate(f"document.getElementById({element!r}).focus()")
        keys = [{"type": kind, "value": key} for key in (*words, "\ue007") for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        self.command("input.performActions", context=self._tab, actions=actions)

    def wait_for(self, element: str, words: str, seconds: float = 20) -> None:
        """Wait until an element shows these words."""
        give_up = time.monotonic() + seconds
        while words not in (shown := str(self.evaluate(f"document.getElementById({element!r}).innerText"))):
            assert time.monotonic() < give_up, f"{element} shows {shown!r}, not {words!r}; {self.problems}"
            time.sleep(0.1)


@contextmanager
def running_firefox(path: str, profile: Path) -> Iterator[Firefox]:
    """Start a Firefox with an empty profile."""
    profile.mkdir()
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(lines))
    process = subprocess.Popen(
        [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with connect(f"{_address(process)}/session", max_size=None, proxy=None) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up and (line := process.stderr.readline()):
        if found := re.search(r"BiDi listening on (ws://\S+)", line):
            return found[1]
    message = "Firefox said no address to drive it at"
    raise AssertionError(message)
