"""What to type to ask the window's server, ready to run; values in, text out."""

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
class Question:
    """What a snippet asks.

    Attributes:
        address: Of the server, e.g. `http://127.0.0.1:8080`.
        key: What the server wants to be sent, or empty.
        image: Path of the image.
        model, threshold, top_k: As chosen in the window; `None` is no limit.
    """

    address: str
    key: str
    image: str
    model: str
    threshold: float
    top_k: int | None

    @property
    def fields(self) -> dict[str, str | float | int]:
        """The fields of the form beside the file."""
        top_k = {} if self.top_k is None else {"top_k": self.top_k}
        return {"model": self.model, "threshold": round(self.threshold, 2), **top_k}


def curl_snippet(question: Question) -> str:
    """A command line for this system's shell."""
    words = [["curl", question.address + DETECTIONS]]
    if question.key:
        words.append(["-H", f"Authorization: Bearer {question.key}"])
    words.append(["-F", f"file=@{_curl_path(question.image)}"])
    words += [["--form-string", f"{name}={value}"] for name, value in question.fields.items()]
    if sys.platform == "win32":
        return subprocess.list2cmdline([word for line in words for word in line])
    return " \\\n  ".join(shlex.join(line) for line in words)


def python_snippet(question: Question) -> str:
    """A program that needs `requests` alone."""
    key = _literal(f"Bearer {question.key}")
    headers = f'\n        headers={{"Authorization": {key}}},' if question.key else ""
    fields = ", ".join(f"{_literal(name)}: {_literal(value)}" for name, value in question.fields.items())
    return f"""import requests

with open({_literal(question.image)}, "rb") as file:
    answer = requests.post(
        {_literal(question.address + DETECTIONS)},{headers}
        files={{"file": file}},
        data={{{fields}}},
        timeout=60,
    )
answer.raise_for_status()
for found in answer.json()["predictions"][0]["result"]:
    print(found["label"], found["score"], found["bbox"])
"""


def phone_address(address: str, key: str) -> str:
    """The page's address with the key in the fragment, which no browser sends anywhere."""
    return f"{address}/#key={quote(key, safe='')}" if key else f"{address}/"


def _literal(value: str | float | int) -> str:
    """As Python reads it: JSON's strings and numbers are Python's too."""
    return json.dumps(value, ensure_ascii=False)


def _curl_path(path: str) -> str:
    """A path as curl's form reads it."""
    if not set(path) & set(',;"\\'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
