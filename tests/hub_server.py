"""A hub on loopback, as far as downloads need one, that can fail in every way a hub does."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from engine.models.hub.progress import Progress
from tests.quiet_server import QuietServer

LFS = (".safetensors", ".bin", ".onnx")
"""Ends of the names of files that a hub keeps outside git, behind a redirect."""
CONFIG = json.dumps({"model_type": "detr"}).encode()
TENSORS = random.Random(6).randbytes(900_000)
"""What stands for tensors where nothing loads them."""


@dataclass
class Repo:
    """A model on the hub.

    Attributes:
        files: Content by name.
        pulls: The same of the revisions `refs/pr/N`, by N.
        card: Keys of the answer about the model, beside or instead of the usual ones.
        token: What readers must send; empty for everybody.
        gated: Whether readers must have accepted terms, which nobody has.
        listed: Entries of the file list beside or instead of the right ones, by name.
    """

    files: dict[str, bytes]
    pulls: dict[int, dict[str, bytes]] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    token: str = ""
    gated: bool = False
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def revision(self, name: str) -> dict[str, bytes] | None:
        """The files of a branch, a commit or a pull request."""
        for files, names in ((self.files, ("main",)), *((f, (f"refs/pr/{n}",)) for n, f in self.pulls.items())):
            if name in (*names, sha_of(files)):
                return files
        return None


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    server: str


Fault = Callable[["Request"], bool]
"""Does something to a request in place of the answer; true where it is answered with that."""


@dataclass
class Plan:
    """A fault that is in wait."""

    path: str
    fault: Fault
    times: int


class HubServer:
    """The hub; a second server is its storage, as with the real one."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.asked: list[Asked] = []
        self.plans: list[Plan] = []
        self.over = threading.Event()
        self._servers = [_serve(self, "hub"), _serve(self, "storage")]

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def storage(self) -> str:
        """Where large files are."""
        return f"http://127.0.0.1:{self._servers[1].server_address[1]}"

    def add(self, name: str, folder: Path, **more: Any) -> Repo:
        """Offer the files of a folder as a model."""
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
        self.repos[name] = Repo(files, **more)
        return self.repos[name]

    def fault(self, path: str, fault: Fault, times: int = 1) -> None:
        """Do this to the next requests whose path has this text."""
        self.plans.append(Plan(path, fault, times))

    def requests(self, path: str, server: str = "") -> list[Asked]:
        """What was asked with this text in the path."""
        return [each for each in self.asked if path in each.path and server in each.server]

    def close(self) -> None:
        """Stop, stalled answers too."""
        self.over.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """A hub that is stopped at the end."""
    server = HubServer()
    try:
        yield server
    finally:
        server.close()


def _serve(hub: HubServer, name: str) -> QuietServer:
    handler = type("Handler", (Request,), {"hub": hub, "server_name": name})
    server = QuietServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


class Request(BaseHTTPRequestHandler):
    """One request, answered as the hub's API documents it."""

    hub: HubServer
    server_name: str
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, or do what a fault says."""
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, unquote(parts.path), parse_qs(parts.query), headers, self.server_name)
        self.hub.asked.append(asked)
        if not self._failed(asked.path):
            self._answer(asked)

    def do_HEAD(self) -> None:
        """As GET, without a body."""
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Nothing."""

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.begin(status, len(body), **headers)
        self.write(body)

    def begin(self, status: int, length: int | None, **headers: str) -> None:
        """The head of an answer."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def begin_file(self, length: int, start: int) -> None:
        """The head of an answer with a file of this length from a byte on."""
        place = {"Content_Range": f"bytes {start}-{length - 1}/{length}"} if start else {}
        self.begin(206 if start else 200, length - start, **place)

    def write(self, body: bytes) -> None:
        """The body, where one is wanted."""
        if self.command == "GET":
            self.wfile.write(body)

    def json(self, value: object) -> None:
        """A JSON answer."""
        self.send(200, json.dumps(value).encode(), Content_Type="application/json")

    def refuse(self, status: int, code: str = "", **headers: str) -> None:
        """An error as the hub words it."""
        named = {"X_Error_Code": code} if code else {}
        self.send(status, json.dumps({"error": f"no: {code}"}).encode(), **named, **headers)

    def body_of_file(self) -> tuple[bytes, int]:
        """The file that storage is asked for, and the first byte of it that is wanted."""
        _, _, repo, commit, name = unquote(urlsplit(self.path).path).split("/", 4)
        files = self.hub.repos[repo.replace("--", "/")].revision(commit)
        assert files is not None
        wanted = self.headers.get("Range", "bytes=0-")
        return files[name], int(wanted.removeprefix("bytes=").rstrip("-"))

    def _failed(self, path: str) -> bool:
        for plan in self.hub.plans:
            if plan.path in path and plan.times:
                plan.times -= 1
                return plan.fault(self)
        return False

    def _answer(self, asked: Asked) -> None:
        if asked.path == "/api/models":
            self.json(_search(self.hub, asked.query))
        elif asked.path.startswith("/api/models/"):
            self._about(asked, asked.path.removeprefix("/api/models/"))
        elif "/resolve/" in asked.path:
            self._resolve(asked)
        elif asked.path.startswith("/storage/"):
            self._store()
        else:
            self.refuse(404)

    def _repo(self, name: str, asked: Asked) -> Repo | None:
        """The model, where this reader may have it; else it is refused."""
        repo = self.hub.repos.get(name)
        sent = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if repo is None:
            self.refuse(404 if sent else 401, "RepoNotFound")
        elif repo.token and sent != repo.token:
            self.refuse(401, "" if sent else "RepoNotFound")
        elif repo.gated:
            self.refuse(403, "GatedRepo")
        else:
            return repo
        return None

    def _about(self, asked: Asked, rest: str) -> None:
        name, revision = rest, "main"
        for part in ("/revision/", "/discussions"):
            if part in rest:
                name, _, revision = rest.partition(part)
        repo = self._repo(name, asked)
        if repo is None:
            return
        if rest.endswith("/discussions"):
            self.json(_discussions(name, repo))
        elif (files := repo.revision(revision or "main")) is None:
            self.refuse(404, "RevisionNotFound")
        else:
            self.json(_info(name, repo, files, blobs="blobs" in asked.query))

    def _resolve(self, asked: Asked) -> None:
        name, _, rest = asked.path.removeprefix("/").partition("/resolve/")
        commit, _, file = rest.partition("/")
        repo = self._repo(name, asked)
        if repo is None:
            return
        files = repo.revision(commit)
        if files is None or file not in files:
            self.refuse(404, "EntryNotFound" if files else "RevisionNotFound")
            return
        body, sha = files[file], sha_of(files)
        if file.endswith(LFS):
            place = f"{self.hub.storage}/storage/{name.replace('/', '--')}/{sha}/{file}"
            linked = {"X_Linked_Size": str(len(body)), "X_Linked_Etag": f'"{hashlib.sha256(body).hexdigest()}"'}
            self.send(302, b"", Location=place, X_Repo_Commit=sha, **linked)
        else:
            self.send(200, body, ETag=f'"{git_hash(body)}"', X_Repo_Commit=sha)

    def _store(self) -> None:
        body, start = self.body_of_file()
        if "Range" not in self.headers:
            self.send(200, body, Accept_Ranges="bytes")
        elif start < len(body):
            place = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.send(206, body[start:], Content_Range=place, Accept_Ranges="bytes")
        else:
            self.send(416, b"", Content_Range=f"bytes */{len(body)}")


def sha_of(files: dict[str, bytes]) -> str:
    """A commit that changes with the files."""
    return hashlib.sha1(b"".join(name.encode() + body for name, body in sorted(files.items()))).hexdigest()


def git_hash(body: bytes) -> str:
    """The name of a git blob."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


def _info(name: str, repo: Repo, files: dict[str, bytes], blobs: bool = False) -> dict[str, Any]:
    config = json.loads(files.get("config.json", b"{}"))
    about = {
        "id": name,
        "sha": sha_of(files),
        "lastModified": "2026-03-05T10:00:00.000Z",
        "tags": ["object-detection", *(["safetensors"] if any(".safetensors" in f for f in files) else [])],
        "pipeline_tag": "object-detection",
        "downloads": 12,
        "likes": 3,
        "library_name": "transformers",
        "gated": "manual" if repo.gated else False,
        "private": bool(repo.token),
        "cardData": {"license": "apache-2.0"},
        "config": {"model_type": config.get("model_type")},
        "siblings": [_sibling(file, body, blobs) | repo.listed.get(file, {}) for file, body in files.items()],
    }
    about["siblings"] += [{"rfilename": file} | more for file, more in repo.listed.items() if file not in files]
    return about | repo.card


def _sibling(name: str, body: bytes, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": name}
    entry: dict[str, Any] = {"rfilename": name, "size": len(body), "blobId": git_hash(body)}
    if name.endswith(LFS):
        entry["lfs"] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}
    return entry


def _search(hub: HubServer, query: dict[str, list[str]]) -> list[dict[str, Any]]:
    text = query.get("search", [""])[0].lower()
    found = [_info(name, repo, repo.files) for name, repo in hub.repos.items() if text in name.lower()]
    found = [each for each in found if each["pipeline_tag"] == query["pipeline_tag"][0]]
    found.sort(key=lambda each: -each["downloads"])
    wanted = {"id", *query.get("expand", [])}
    return [{key: each[key] for key in each if key in wanted} for each in found[: int(query["limit"][0])]]


def _discussions(name: str, repo: Repo) -> dict[str, Any]:
    found = [
        {
            "title": "Adding `safetensors` variant of this model",
            "num": number,
            "author": {"name": "SFconvertbot"},
            "createdAt": "2026-03-05T10:00:00.000Z",
            "status": "open",
            "repo": {"name": name, "type": "model"},
            "isPullRequest": True,
        }
        for number in repo.pulls
    ]
    return {"discussions": found, "count": len(found), "start": 0}


def status(code: int, error: str = "", **headers: str) -> Fault:
    """Answer with an HTTP error."""

    def fault(request: Request) -> bool:
        request.refuse(code, error, **headers)
        return True

    return fault


def cut(after: int) -> Fault:
    """Send so many bytes of what is wanted, then close the connection."""

    def fault(request: Request) -> bool:
        body, start = request.body_of_file()
        request.begin(
            206 if start else 200, len(body) - start, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}"
        )
        request.write(body[start : start + after])
        request.close_connection = True
        request.connection.close()
        return True

    return fault


def stall(after: int = 0) -> Fault:
    """Send so many bytes of a file, then nothing, with the connection open."""

    def fault(request: Request) -> bool:
        if after:
            body, start = request.body_of_file()
            request.begin(200, len(body))
            request.write(body[start : start + after])
            request.wfile.flush()
        request.hub.over.wait(30)
        request.close_connection = True
        return True

    return fault


def slow(piece: int, seconds: float) -> Fault:
    """Send a file in pieces of so many bytes, with a rest after each."""

    def fault(request: Request) -> bool:
        body, start = request.body_of_file()
        request.begin(
            206 if start else 200, len(body) - start, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}"
        )
        for at in range(start, len(body), piece):
            request.write(body[at : at + piece])
            time.sleep(seconds)
        return True

    return fault


def sends(change: Callable[[bytes], bytes], length: int | None = None) -> Fault:
    """Send something else than the file, with a length that may be a lie."""

    def fault(request: Request) -> bool:
        body = change(request.body_of_file()[0])
        request.begin(200, len(body) if length is None else length)
        request.write(body)
        request.close_connection = True
        return True

    return fault


def answers(body: bytes) -> Fault:
    """Answer 200 with this."""

    def fault(request: Request) -> bool:
        request.send(200, body, Content_Type="application/json")
        return True

    return fault


def bottles(**more: Any) -> Repo:
    """A model that needs no loading."""
    files = {"config.json": CONFIG, "model.safetensors": TENSORS, "README.md": b"# Bottles\n"}
    return Repo(files | more.pop("files", {}), **more)


class Told(list[Progress]):
    """What a download told, and what to do when it tells something."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[Progress], None] = lambda progress: None

    def __call__(self, progress: Progress) -> None:
        self.append(progress)
        self.then(progress)

    @property
    def states(self) -> list[str]:
        """The states, each once in a row."""
        states = [progress.state for progress in self]
        return [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]
