"""Hubs that are away, refuse, break off, lie or attack; each with its sentence."""

from __future__ import annotations

import logging
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError
from engine.models.hub.endpoint import Endpoint
from engine.models.hub.folders import ModelFolders
from engine.models.hub.patience import Patience
from tests.hub_server import (
    CONFIG,
    TENSORS,
    Fault,
    HubServer,
    Repo,
    Told,
    answers,
    bottles,
    cut,
    sends,
    stall,
    status,
)

Bring = Callable[..., Path]
TOKEN = "hf_" + "s3cretBottle" * 3
HUB = "/api/models/acme"
FILE = "/storage/"


def failure(work: Callable[[], Any], code: str) -> EngineError:
    """The error of this code that comes of it."""
    with pytest.raises(EngineError) as caught:
        work()
    assert caught.value.code == code, caught.value.message
    assert TOKEN not in caught.value.message
    return caught.value


def whole(folder: Path) -> bool:
    return (folder / "model.safetensors").read_bytes() == TENSORS


def test_a_cut_connection_is_taken_up_where_it_broke(hub: HubServer, bring: Bring, told: Told) -> None:
    hub.fault(FILE, cut(after=200_000), times=3)
    assert whole(bring())
    ranges = [asked.headers.get("range") for asked in hub.requests(FILE)]
    assert ranges == [None, "bytes=200000-", "bytes=400000-", "bytes=600000-"]
    assert "waiting" in told.states


def test_a_server_that_cuts_off_at_once_is_given_up_and_what_came_stays(
    hub: HubServer, bring: Bring, models: Path
) -> None:
    hub.fault(FILE, cut(after=200_000))
    hub.fault(FILE, cut(after=0), times=100)
    error = failure(bring, "hub_interrupted")
    assert "model.safetensors" in error.message
    assert ModelFolders(models).unfinished()[0].done > 200_000
    hub.plans.clear()
    hub.asked.clear()
    assert whole(bring())
    assert hub.requests(FILE)[0].headers["range"] == "bytes=200000-"


def test_a_stall_is_noticed_and_taken_up(hub: HubServer, bring: Bring) -> None:
    hub.fault(FILE, stall(after=200_000))
    assert whole(bring())
    assert hub.requests(FILE)[-1].headers["range"].startswith("bytes=")


def test_a_server_without_ranges_begins_again(hub: HubServer, bring: Bring, told: Told) -> None:
    hub.fault(FILE, cut(after=200_000))
    hub.fault(FILE, sends(lambda body: body))
    assert whole(bring())
    assert told[-1].done == told[-1].total


def test_a_range_that_is_not_satisfiable_or_of_another_place_begins_again(hub: HubServer, bring: Bring) -> None:
    def elsewhere(request: Any) -> bool:
        body, _ = request.body_of_file()
        request.begin_file(len(body), 300_000)
        request.write(body[300_000:])
        return True

    hub.fault(FILE, cut(after=200_000))
    hub.fault(FILE, elsewhere)
    assert whole(bring())


@pytest.mark.parametrize("place", [HUB, "/resolve/", FILE])
@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_a_failure_that_passes_is_waited_out(hub: HubServer, bring: Bring, told: Told, place: str, code: int) -> None:
    hub.fault(place, status(code))
    assert whole(bring())
    waiting = [progress for progress in told if progress.state == "waiting"]
    assert [progress.retry_in for progress in waiting] == [0.01]


@pytest.mark.parametrize("place", [HUB, FILE])
def test_retry_after_is_kept(hub: HubServer, bring: Bring, told: Told, place: str) -> None:
    hub.fault(place, status(429, Retry_After="1"))
    started = time.monotonic()
    assert whole(bring())
    assert time.monotonic() - started >= 1.0
    assert [progress.retry_in for progress in told if progress.state == "waiting"] == [1.0]


def test_the_hubs_own_rate_limit_is_kept(hub: HubServer, bring: Bring, told: Told) -> None:
    hub.fault(HUB, status(429, RateLimit='"api";r=0;t=1'))
    assert whole(bring())
    assert [progress.retry_in for progress in told if progress.state == "waiting"] == [1.0]


def test_a_date_to_retry_after_that_is_past_is_now(hub: HubServer, bring: Bring, told: Told) -> None:
    hub.fault(HUB, status(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"))
    assert whole(bring())
    assert [progress.retry_in for progress in told if progress.state == "waiting"] == [0.0]


def test_too_long_a_wait_is_told(hub: HubServer, bring: Bring) -> None:
    hub.fault(FILE, status(429, Retry_After="7200"))
    assert "7200 s" in failure(bring, "hub_busy").message


def test_a_failure_that_stays_is_told(hub: HubServer, bring: Bring) -> None:
    hub.fault(HUB, status(500), times=100)
    assert "HTTP status 500" in failure(bring, "hub_failed").message


@pytest.mark.parametrize(
    ("name", "repo", "code", "mend"),
    [
        ("acme/none", None, "hub_private", "check the name, or sign in with: hf auth login"),
        ("acme/private", bottles(token="hf_owner"), "hub_private", "hf auth login"),
        ("acme/gated", bottles(gated=True), "hub_gated", "/acme/gated"),
        ("acme/empty", Repo({"README.md": b"soon"}), "hub_no_model", "model.safetensors"),
        ("acme/no-config", Repo({"model.safetensors": b"x"}), "hub_no_model", "config.json"),
    ],
)
def test_what_cannot_be_had_is_said_with_the_mend(
    hub: HubServer, bring: Bring, name: str, repo: Repo | None, code: str, mend: str
) -> None:
    if repo is not None:
        hub.repos[name] = repo
    error = failure(lambda: bring(name), code)
    assert mend in error.message
    assert name in error.message


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (status(401), "hub_private"),
        (status(403), "hub_forbidden"),
        (status(403, "GatedRepo"), "hub_gated"),
        (status(404, "RepoNotFound"), "hub_not_found"),
        (status(404, "RevisionNotFound"), "hub_revision"),
        (status(418), "hub_failed"),
    ],
)
@pytest.mark.parametrize("place", [HUB, "/resolve/"])
def test_each_refusal_has_its_sentence(hub: HubServer, bring: Bring, fault: Fault, code: str, place: str) -> None:
    hub.fault(place, fault)
    failure(bring, code)
    assert len(hub.requests(place)) == 1


def test_an_unknown_revision_is_said(hub: HubServer, bring: Bring) -> None:
    failure(lambda: bring(revision="v9"), "hub_revision")


@pytest.mark.parametrize(
    "body", [b"<html>Sign in to the hotel's network</html>", b"[]", b"{}", b'{"id": 1, "sha": "main"}', b"[" * 99_999]
)
def test_something_else_than_a_hub_is_said(hub: HubServer, bring: Bring, body: bytes) -> None:
    hub.fault(HUB, answers(body))
    assert Endpoint(hub.url).name in failure(bring, "hub_answer").message


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.alone
def test_without_a_network_it_is_said_at_once(bring: Bring, closed_port: int) -> None:
    started = time.monotonic()
    endpoint = Endpoint(f"http://127.0.0.1:{closed_port}", trusted=False)
    error = failure(lambda: bring(endpoint=endpoint, patience=Patience()), "hub_unreachable")
    assert time.monotonic() - started < 2
    assert f"127.0.0.1:{closed_port}" in error.message


def test_a_host_that_is_not_found_is_said_at_once(bring: Bring, loopback_alone: list[str]) -> None:
    endpoint = Endpoint("https://hub.invalid", trusted=False)
    assert "hub.invalid" in failure(lambda: bring(endpoint=endpoint, patience=Patience()), "hub_unreachable").message
    assert set(loopback_alone) == {"hub.invalid"}
    loopback_alone.clear()


@pytest.mark.alone
def test_a_hub_that_does_not_answer_is_said_in_time(hub: HubServer, bring: Bring) -> None:
    hub.fault(HUB, stall())
    started = time.monotonic()
    failure(lambda: bring(patience=Patience(answer=0.3)), "hub_timeout")
    assert time.monotonic() - started < 2


def test_a_certificate_that_is_not_accepted_is_said(hub: HubServer, bring: Bring) -> None:
    """An https address of a server that speaks http: the handshake fails."""
    failure(lambda: bring(endpoint=Endpoint(hub.url.replace("http:", "https:"), trusted=False)), "hub_certificate")


def test_offline_mode_of_the_library_is_kept(hub: HubServer, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    failure(bring, "hub_offline")
    assert hub.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        sends(lambda body: bytes(len(body))),
        sends(lambda body: body[:-1] + b"!"),
        sends(lambda body: body + b"more"),
        sends(lambda body: body + b"more", length=len(TENSORS)),
    ],
    ids=["zeros", "one byte", "longer", "longer than it says"],
)
def test_other_bytes_than_announced_are_refused_and_removed(
    hub: HubServer, bring: Bring, models: Path, fault: Fault, request: pytest.FixtureRequest
) -> None:
    hub.fault(FILE, fault, times=2)
    if "than it says" in request.node.name:
        assert whole(bring())  # what is beyond the length belongs to no answer
        return
    assert "was removed" in failure(bring, "hub_wrong_hash").message
    partial = models / ".partial" / "acme--bottles"
    assert not list(partial.glob("model.safetensors*"))
    assert not (models / "acme--bottles").exists()
    hub.plans.clear()
    assert whole(bring())


def test_other_bytes_of_a_small_file_are_refused_too(hub: HubServer, bring: Bring) -> None:
    hub.fault("/README.md", answers(b"# Bottle5\n"))
    assert "README.md" in failure(bring, "hub_wrong_hash").message


def test_a_length_that_is_too_short_or_too_long_is_no_harm(hub: HubServer, bring: Bring) -> None:
    hub.fault(FILE, sends(lambda body: body[:1000], length=1000))
    hub.fault(FILE, sends(lambda body: body, length=10 * len(TENSORS)))
    assert whole(bring())


def test_bytes_that_went_bad_on_disk_are_downloaded_again(hub: HubServer, bring: Bring, models: Path) -> None:
    hub.fault(FILE, cut(after=200_000))
    hub.fault(FILE, cut(after=0), times=100)
    failure(bring, "hub_interrupted")
    part = models / ".partial" / "acme--bottles" / "model.safetensors.part"
    part.write_bytes(bytes(200_000))
    hub.plans.clear()
    assert whole(bring())


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "..\\evil", "C:\\evil", "a/../../evil", "evil\0"])
def test_names_from_the_hub_lead_nowhere(hub: HubServer, bring: Bring, tmp_path: Path, name: str) -> None:
    entry = {"size": 4, "blobId": "0" * 40}
    hub.repos["acme/bottles"].listed = {
        name: entry,
        f"{name}/model.safetensors": entry,
        f"model-00001-of-{name}.safetensors": entry,
        f"LICENSE{name}": entry,
    }
    folder = bring()
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "README.md", "hub.json"}
    assert not list(tmp_path.rglob("*evil*"))


def test_shards_with_other_names_are_left_out(hub: HubServer, bring: Bring) -> None:
    shard = "model-00001-of-00001.safetensors"
    files = {"config.json": CONFIG, "model.safetensors.index.json": b"{}", shard: TENSORS}
    evil = {"size": 4, "blobId": "0" * 40}
    listed = dict.fromkeys(("model-/../evil.safetensors", "model-1-of-2.safetensors/evil", f"../{shard}"), evil)
    hub.repos["acme/shards"] = Repo(files, listed=listed)
    assert {path.name for path in bring("acme/shards").iterdir()} == {"hub.json"} | set(files)


@pytest.mark.parametrize("listed", [{"blobId": None}, {"blobId": "../.."}, {"size": -1}, {"size": None}, {"size": "9"}])
def test_a_file_that_cannot_be_checked_is_not_downloaded(hub: HubServer, bring: Bring, listed: dict[str, Any]) -> None:
    hub.repos["acme/bottles"].listed = {"config.json": listed}
    failure(bring, "hub_no_hash")
    assert not hub.requests("/resolve/")


def test_a_full_disk_is_said_before_anything_comes(
    hub: HubServer, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 12345, 12345))
    error = failure(bring, "hub_disk")
    assert "12,345" in error.message
    needed = sum(len(body) for body in hub.repos["acme/bottles"].files.values()) + 32 * 2**20
    assert f"{needed:,}" in error.message
    assert not hub.requests("/resolve/")


def test_a_disk_that_gets_full_meanwhile_is_said_and_what_came_stays(
    hub: HubServer, bring: Bring, models: Path
) -> None:
    """FAULTS 31: the file-size limit stands for the full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
    try:
        assert "model.safetensors" in failure(bring, "cannot_write").message
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 400_000 < ModelFolders(models).unfinished()[0].done <= 600_000
    hub.asked.clear()
    assert whole(bring())
    assert hub.requests(FILE)[0].headers["range"].startswith("bytes=")


def test_a_folder_that_cannot_be_written_is_said(hub: HubServer, bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    failure(lambda: bring(folders=ModelFolders(tmp_path / "file" / "models")), "cannot_write")


PICKLE = {"config.json": b'{"model_type": "detr"}', "pytorch_model.bin": b"pickle"}


def test_a_pickle_is_refused_and_its_conversion_pointed_to(hub: HubServer, bring: Bring) -> None:
    hub.repos["acme/bottles"] = Repo(dict(PICKLE), pulls={3: PICKLE, 7: PICKLE | {"model.safetensors": TENSORS}})
    assert "refs/pr/7" in failure(bring, "hub_converted").message
    folder = bring(revision="refs/pr/7")
    assert whole(folder)
    assert not (folder / "pytorch_model.bin").exists()


def test_a_pickle_without_conversion_is_refused_with_the_way_to_one(hub: HubServer, bring: Bring) -> None:
    hub.repos["acme/bottles"] = Repo(dict(PICKLE))
    assert "spaces/safetensors/convert" in failure(bring, "hub_pickle_only").message
    assert not hub.requests("/resolve/")


@pytest.mark.parametrize("fault", [status(403), status(404), answers(b'{"discussions": [], "count": 0, "start": 0}')])
def test_a_hub_that_tells_nothing_of_conversions_is_no_hindrance(hub: HubServer, bring: Bring, fault: Fault) -> None:
    hub.repos["acme/bottles"] = Repo(dict(PICKLE))
    hub.fault("/discussions", fault)
    failure(bring, "hub_pickle_only")


@pytest.mark.parametrize("place", ["environment", "login"])
def test_the_users_token_opens_private_models_and_stays_with_the_hub(
    hub: HubServer,
    bring: Bring,
    monkeypatch: pytest.MonkeyPatch,
    nobody_signed_in: Path,
    caplog: pytest.LogCaptureFixture,
    place: str,
) -> None:
    hub.repos["acme/private"] = bottles(token=TOKEN)
    caplog.set_level(logging.DEBUG)
    if place == "environment":
        monkeypatch.setenv("HF_TOKEN", TOKEN)
    else:
        nobody_signed_in.write_text(TOKEN + "\n")
    assert whole(bring("acme/private", endpoint=Endpoint(hub.url, trusted=True)))
    assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in hub.requests("", "hub"))
    assert all("authorization" not in asked.headers for asked in hub.requests("", "storage"))
    assert hub.requests("", "storage")
    assert TOKEN not in caplog.text


def test_a_mirror_gets_no_token(hub: HubServer, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert whole(bring(endpoint=Endpoint(hub.url, trusted=False)))
    assert all("authorization" not in asked.headers for asked in hub.asked)


def test_a_token_that_is_refused_is_said(hub: HubServer, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repos["acme/private"] = bottles(token="hf_owner")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    endpoint = Endpoint(hub.url, trusted=True)
    assert "hf auth login" in failure(lambda: bring("acme/private", endpoint=endpoint), "hub_token_refused").message
    failure(lambda: bring("acme/none", endpoint=endpoint), "hub_not_found")


@pytest.mark.parametrize("token", ["令牌", "hf_a b", "hf_\x01"])
def test_a_token_that_cannot_be_sent_is_said_without_it(
    hub: HubServer, bring: Bring, nobody_signed_in: Path, token: str
) -> None:
    nobody_signed_in.write_text(token, "utf-8")
    error = failure(lambda: bring(endpoint=Endpoint(hub.url, trusted=True)), "hub_token_unreadable")
    assert token not in error.message
    assert hub.asked == []


def test_nothing_calls_home(hub: HubServer, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a download needs is asked; the library's list of calling programs, and those, are left out."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setenv("AI_AGENT", "someone")
    bring()
    kinds = {asked.path.split("/")[1] + "/" + asked.path.split("/")[2] for asked in hub.asked}
    assert kinds == {"api/models", "acme/bottles", "storage/acme--bottles"}
    for asked in hub.asked:
        words = asked.headers["user-agent"].split("; ")
        assert [word.split("/")[0] for word in words] == ["detrdesk", "hf_hub", "python"]
