"""Example requests to the window's server, for curl and Python."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import quote

DETECTIONS = "/v1/vision/detections"
MASK = "••••••••"


@dataclass(frozen=True)
class ExampleRequest:
    """The request that a snippet makes.

    Attributes:
        address: The server's address, e.g. `http://127.0.0.1:8080`.
        key: The API key; empty for none.
        image: The path of the image file.
        model, threshold, top_k: The values of the window; `None` for no limit.
    """

    address: str
    key: str
    image: str
    model: str
    threshold: float
    top_k: int | None

    @property
    def fields(self) -> dict[str, str | float | int]:
        """The form fields beside the file."""
        top_k = {} if self.top_k is None else {"top_k": self.top_k}
        return {"model": self.model, "threshold": round(self.threshold, 2), **top_k}


def curl_snippet(request: ExampleRequest) -> str:
    """Return a command line for this system's shell."""
    words = [["curl", request.address + DETECTIONS]]
    if request.key:
        words.append(["-H", f"Authorization: Bearer {request.key}"])
    words.append(["-F", f"file=@{_curl_path(request.image)}"])
    words += [["--form-string", f"{name}={value}"] for name, value in request.fields.items()]
    if sys.platform == "win32":
        return subprocess.list2cmdline([word for line in words for word in line])
    return " \\\n  ".join(shlex.join(line) for line in words)


def python_snippet(request: ExampleRequest) -> str:
    """Return a Python program that needs `requests` only."""
    key = _literal(f"Bearer {request.key}")
    headers = f'\n        headers={{"Authorization": {key}}},' if request.key else ""
    fields = ", ".join(f"{_literal(name)}: {_literal(value)}" for name, value in request.fields.items())
    return f"""import requests

with open({_literal(request.image)}, "rb") as file:
    answer = requests.post(
        {_literal(request.address + DETECTIONS)},{headers}
        files={{"file": file}},
        data={{{fields}}},
        timeout=60,
    )
answer.raise_for_status()
for found in answer.json()["predictions"][0]["result"]:
    print(found["label"], found["score"], found["bbox"])
"""


def phone_address(address: str, key: str) -> str:
    """Return the address of the try-it page with the key in the fragment, which browsers do not send."""
    return f"{address}/#key={quote(key, safe='')}" if key else f"{address}/"


def _literal(value: str | float | int) -> str:
    """Return a Python literal; JSON's strings and numbers are valid ones."""
    return json.dumps(value, ensure_ascii=False)


def _curl_path(path: str) -> str:
    """Return a path quoted for curl's `-F`."""
    if not set(path) & set(',;"\\'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
